import { describe, expect, it, onTestFinished } from 'vitest';
import { type BrokerName, newHome, type OwnBroker, removeHome, startBroker } from '../brokers.ts';
import { eventually, uniqueName } from '../helpers.ts';
import { kafkajs } from '../kafkajs/client.ts';
import { oracleAvailable } from '../oracle/jars.ts';
import { type Producer, Steps } from '../wire/transaction-steps.ts';

const TIMEOUT_MS = 180_000;

const properties = {
  'offsets.topic.num.partitions': '2',
  'transaction.state.log.num.partitions': '2',
  // A broker that was killed is soon gone for Kafka's controller.
  'broker.heartbeat.interval.ms': '200',
  'broker.session.timeout.ms': '1000',
};

/** Versions of Produce, TxnOffsetCommit and EndTxn: as clients before KIP-890 speak, and since. */
const protocols = {
  old: { produce: 11, commit: 3, end: 3 },
  new: { produce: 12, commit: 5, end: 5 },
} as const;

describe('a directory with an open transaction', () => {
  const oracle = oracleAvailable();
  if (!oracle.available) it.skip(`SKIPPED, Apache Kafka cannot be run: ${oracle.reason}`, () => {});
  else
    it.each(
      (['old', 'new'] as const).flatMap((protocol) =>
        (['stop', 'kill'] as const).flatMap((end) => [
          { first: 'odradek', second: 'kafka', end, protocol } as const,
          { first: 'kafka', second: 'odradek', end, protocol } as const,
        ]),
      ),
    )('begun by $first, which ends by $end, is finished by $second ($protocol protocol)', handOver, TIMEOUT_MS);
});

interface Turn {
  readonly first: BrokerName;
  readonly second: BrokerName;
  readonly end: 'stop' | 'kill';
  readonly protocol: keyof typeof protocols;
}

async function handOver({ first, second, end, protocol }: Turn): Promise<void> {
  const versions = protocols[protocol];
  const home = await newHome('transactions');
  let broker: OwnBroker | undefined;
  onTestFinished(async () => {
    await broker?.stop();
    removeHome(home);
  });
  const bootstrapServers = `127.0.0.1:${home.port}`;
  const id = uniqueName('id');
  const topic = uniqueName('exchanged');

  broker = await startBroker(first, { ...home, properties });
  await createTopic(bootstrapServers, topic);
  const before = await Steps.open(bootstrapServers, id, topic);
  const write = async (steps: Steps, producer: Producer, sequence: number, value: string): Promise<void> => {
    if (protocol === 'old') await steps.add('adds', 3, producer);
    await steps.produce('writes', versions.produce, producer, sequence, { value });
  };
  const finish = async (steps: Steps, producer: Producer, committed: boolean): Promise<Producer> => {
    const next = await steps.end('ends', versions.end, producer, committed);
    await steps.reach(committed ? 'CompleteCommit' : 'CompleteAbort');
    return protocol === 'old' ? producer : next;
  };
  let producer = await before.init('begins', versions.end);
  await write(before, producer, 0, 'committed before');
  producer = await finish(before, producer, true);
  const raises = protocol === 'new';
  await write(before, producer, raises ? 0 : 1, 'aborted before');
  producer = await finish(before, producer, false);
  await write(before, producer, raises ? 0 : 2, 'begun before');
  if (protocol === 'old') await before.addOffsets('adds', 3, producer);
  await before.commitOffsets('commits', versions.commit, producer, { offset: 8 });
  expect(errorsOf(before)).toEqual([]);
  await before.close();
  await broker[end]();

  broker = await startBroker(second, { ...home, properties });
  const after = await Steps.open(bootstrapServers, id, topic, true);
  await after.describe('is open');
  expect(after.lines.at(-1)).toContain('Ongoing');
  await write(after, producer, raises ? 1 : 3, 'added after');
  await after.offset('is pending', true);
  expect(after.lines.pop()).toContain('UNSTABLE_OFFSET_COMMIT');
  producer = await finish(after, producer, true);
  await after.offset('is committed', true);
  expect(after.lines.at(-1)).toContain('NONE 8');
  await write(after, producer, raises ? 0 : 4, 'left open');
  expect(errorsOf(after)).toEqual([]);
  await after.close();
  await broker[end]();

  broker = await startBroker(first, { ...home, properties });
  const last = await Steps.open(bootstrapServers, id, topic, true);
  const again = await last.init('begins again', versions.end);
  expect(again.producerId).toBe(producer.producerId);
  expect(again.producerEpoch).toBeGreaterThan(producer.producerEpoch);
  await write(last, again, 0, 'last');
  await finish(last, again, true);
  expect(errorsOf(last)).toEqual([]);
  await last.close();
  const committed = ['committed before', 'begun before', 'added after', 'last'];
  expect(await values(bootstrapServers, topic, false)).toEqual(committed);
  const all = ['committed before', 'aborted before', 'begun before', 'added after', 'left open', 'last'];
  expect(await values(bootstrapServers, topic, true)).toEqual(all);
}

const errorsOf = ({ lines }: Steps): string[] => lines.filter((line) => !line.includes(': NONE'));

async function createTopic(bootstrapServers: string, topic: string): Promise<void> {
  const admin = kafkajs(bootstrapServers).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] });
  await admin.disconnect();
}

/** What there is up to the message `last`. */
async function values(bootstrapServers: string, topic: string, readUncommitted: boolean): Promise<string[]> {
  const consumer = kafkajs(bootstrapServers).consumer({ groupId: uniqueName('g'), readUncommitted });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const found: string[] = [];
  await consumer.run({
    eachMessage: async ({ message }) => {
      found.push(String(message.value));
    },
  });
  await eventually(() => found.includes('last'));
  await consumer.disconnect();
  return found;
}
