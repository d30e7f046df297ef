import { randomBytes } from 'node:crypto';
import {
  alterClientQuotasV1,
  alterUserScramCredentialsV0,
  ConfigResourceTypes,
  Connection,
  incrementalAlterConfigsV1,
} from '@platformatic/kafka';
import {
  CompressionTypes,
  type ITopicConfig,
  type Kafka,
  type Admin as KafkajsAdmin,
  type Message,
  Partitioners,
} from 'kafkajs';
import { eventually, pastMs, times } from '../helpers.ts';
import { kafkajs } from '../kafkajs/client.ts';
import { codecs } from '../kafkajs/codecs.ts';

/** The topics whose records compaction may remove. */
export const compactedTopics = ['compacted'];

/** The groups that are left after a round. */
export const groupsAfter = (round: number): string[] =>
  ['steady', `group-${round}`, `group-${round - 1}`].slice(0, round > 0 ? 3 : 2);

const MIB = 1024 * 1024;
const MINUTE_MS = 60_000;

/** The topics of the load: partitions and configurations. Those with segment.ms roll by the times of their records. */
const topics: Record<string, { partitions: number; configs?: Record<string, string> }> = {
  // Kafka 4 takes no smaller segments.
  large: { partitions: 1, configs: { 'segment.bytes': String(MIB) } },
  compacted: {
    partitions: 2,
    configs: {
      'cleanup.policy': 'compact',
      'min.cleanable.dirty.ratio': '0.01',
      'delete.retention.ms': '86400000',
      'segment.ms': String(MINUTE_MS),
    },
  },
  trimmed: { partitions: 2, configs: { 'segment.ms': String(MINUTE_MS) } },
  stamped: { partitions: 1, configs: { 'message.timestamp.type': 'LogAppendTime', 'compression.type': 'snappy' } },
  growing: { partitions: 1 },
  transacted: { partitions: 1 },
  ...Object.fromEntries(
    codecs.map(([name]) => {
      const configs = { 'segment.ms': String(MINUTE_MS), 'index.interval.bytes': '100', 'retention.ms': '864000000' };
      return [`codec-${name}`, { partitions: 2, configs }];
    }),
  ),
};

/** Makes the topics of the load. */
export async function createTopics(bootstrapServers: string): Promise<void> {
  const all: ITopicConfig[] = Object.entries(topics).map(([topic, { partitions, configs = {} }]) => ({
    topic,
    numPartitions: partitions,
    configEntries: Object.entries(configs).map(([name, value]) => ({ name, value })),
  }));
  await withAdmin(kafkajs(bootstrapServers), (admin) => admin.createTopics({ topics: all }));
}

/** Puts some more of everything into a cluster. `round` counts up from 0 and makes what is added differ. */
export async function addLoad(bootstrapServers: string, round: number): Promise<void> {
  const kafka = kafkajs(bootstrapServers);
  await produce(kafka, round);
  await transact(kafka, round);
  await withAdmin(kafka, async (admin) => {
    await trim(admin);
    await changeTopics(admin, round);
  });
  await consume(kafka, round);
  await administer(bootstrapServers, round);
}

async function withAdmin(kafka: Kafka, work: (admin: KafkajsAdmin) => Promise<unknown>): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await work(admin);
  await admin.disconnect();
}

/** Messages with and without key, value and headers, a quarter of a minute apart. */
function mixedMessages(round: number, partition: number, count = 12): Message[] {
  const startMs = pastMs + round * 5 * MINUTE_MS;
  return times(count, (i) => ({
    partition,
    key: i % 3 === 0 ? null : `key ${i}`,
    value: i % 5 === 4 ? null : `round ${round}, message ${i} ${'-'.repeat(i * 10)}`,
    headers:
      i % 2 === 0 ? {} : { trace: `${round}.${i}`, empty: '', bytes: Buffer.from([0, 255, i]), many: ['a', 'b'] },
    timestamp: String(startMs + (i * MINUTE_MS) / 4),
  }));
}

/** Updates of ten keys, one of them a tombstone. */
function updates(round: number, partition: number): Message[] {
  return times(40, (i) => ({
    partition,
    key: `key ${i % 10}`,
    value: i === 37 ? null : `round ${round}, update ${i}`,
    timestamp: String(pastMs + round * 5 * MINUTE_MS + i * 6000),
  }));
}

async function produce(kafka: Kafka, round: number): Promise<void> {
  const createPartitioner = Partitioners.DefaultPartitioner;
  const producer = kafka.producer({ createPartitioner });
  const idempotent = kafka.producer({ createPartitioner, idempotent: true });
  await Promise.all([producer.connect(), idempotent.connect()]);
  const both = (make: (round: number, partition: number) => Message[]): Message[] =>
    [0, 1].flatMap((p) => make(round, p));
  for (const [name, compression] of codecs) {
    const sender = round % 2 === 0 ? idempotent : producer;
    const messages = both(mixedMessages);
    // Several batches a partition, so that segments roll between them.
    for (let at = 0; at < 12; at += 4) {
      const some = messages.filter((_, i) => i % 12 >= at && i % 12 < at + 4);
      await sender.send({ topic: `codec-${name}`, compression, messages: some });
    }
  }
  for (let i = 0; i < 20; i++)
    await idempotent.send({ topic: 'large', messages: [{ key: String(i), value: randomBytes(MIB / 16) }] });
  const changes = both(updates);
  for (let at = 0; at < 40; at += 10) {
    const some = changes.filter((_, i) => i % 40 >= at && i % 40 < at + 10);
    await producer.send({ topic: 'compacted', compression: CompressionTypes.GZIP, messages: some });
  }
  await idempotent.send({ topic: 'trimmed', messages: both(mixedMessages) });
  await producer.send({ topic: 'stamped', messages: mixedMessages(round, 0) });
  const everywhere = times(round + 1, (partition) => mixedMessages(round, partition, 2)).flat();
  await producer.send({ topic: 'growing', messages: everywhere });
  await Promise.all([producer.disconnect(), idempotent.disconnect()]);
}

/** A transaction that is aborted, one that is committed, and a record of nobody's transaction, with which the log ends. */
async function transact(kafka: Kafka, round: number): Promise<void> {
  const createPartitioner = Partitioners.DefaultPartitioner;
  const topic = 'transacted';
  const messages = mixedMessages(round, 0);
  let stableEnd = await lastStableOffset(kafka, topic);
  for (const outcome of ['abort', 'commit'] as const) {
    const transactional = { transactionalId: `load-${outcome}`, maxInFlightRequests: 1, idempotent: true };
    const producer = kafka.producer({ createPartitioner, ...transactional });
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages });
    await transaction[outcome]();
    await producer.disconnect();
    // The answer comes before the marker is written, and what is written next must come after it.
    stableEnd += messages.length + 1;
    await eventually(async () => (await lastStableOffset(kafka, topic)) === stableEnd);
  }
  const producer = kafka.producer({ createPartitioner });
  await producer.connect();
  await producer.send({ topic, messages: mixedMessages(round, 0, 1) });
  await producer.disconnect();
}

async function lastStableOffset(kafka: Kafka, topic: string): Promise<number> {
  let offset = Number.NaN;
  await withAdmin(kafka, async (admin) => {
    const [{ high }] = await admin.fetchTopicOffsets(topic);
    offset = Number(high);
  });
  return offset;
}

/** DeleteRecords: into the middle of a batch in one partition, to the end of the other. */
async function trim(admin: KafkajsAdmin): Promise<void> {
  const offsets = await admin.fetchTopicOffsets('trimmed');
  const partitions = offsets.map(({ partition, high }) => ({
    partition,
    offset: partition === 0 ? String(Number(high) - 5) : high,
  }));
  await admin.fetchTopicMetadata({ topics: ['trimmed'] });
  await admin.deleteTopicRecords({ topic: 'trimmed', partitions });
}

/** A topic that stays, one that comes and one that goes, and one that gets another partition. */
async function changeTopics(admin: KafkajsAdmin, round: number): Promise<void> {
  await admin.createTopics({ topics: [{ topic: `round-${round}`, numPartitions: 3 }] });
  if (round > 1) await admin.deleteTopics({ topics: [`round-${round - 2}`] });
  await admin.createPartitions({ topicPartitions: [{ topic: 'growing', count: round + 2 }] });
}

/** Members of a group that goes on and of a new one commit offsets with metadata; an old group goes. */
async function consume(kafka: Kafka, round: number): Promise<void> {
  for (const groupId of ['steady', `group-${round}`]) {
    const topic = 'codec-none';
    const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
    let joined = false;
    consumer.on(consumer.events.GROUP_JOIN, () => {
      joined = true;
    });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({ autoCommit: false, eachMessage: async () => {} });
    await eventually(() => joined);
    const offset = String(4 * (round + 1));
    const metadata = `as of round ${round}`;
    await consumer.commitOffsets([0, 1].map((partition) => ({ topic, partition, offset, metadata })));
    await consumer.disconnect();
  }
  if (round > 1) await withAdmin(kafka, (admin) => admin.deleteGroups([`group-${round - 2}`]));
}

/** Configurations of a topic, of the broker and of all brokers; a quota; a SCRAM credential. */
async function administer(bootstrapServers: string, round: number): Promise<void> {
  const [host, port] = bootstrapServers.split(':');
  const connection = new Connection('load');
  await connection.connect(host, Number(port));
  const { TOPIC, BROKER } = ConfigResourceTypes;
  const set = (resourceType: typeof TOPIC | typeof BROKER, resourceName: string, name: string, value: number) => {
    return { resourceType, resourceName, configs: [{ name, configOperation: 0 as const, value: String(value) }] };
  };
  const resources = [
    set(TOPIC, 'trimmed', 'retention.ms', 700_000_000 + round),
    set(BROKER, '1', 'message.max.bytes', 2_000_000 + round),
    set(BROKER, '', 'log.retention.ms', 800_000_000 + round),
  ];
  await incrementalAlterConfigsV1.api.async(connection, resources, false);
  const entities = [{ entityType: 'user' as const, entityName: `user-${round % 4}` }];
  const ops = [{ key: 'producer_byte_rate' as const, value: 1e9 + round, remove: false as const }];
  await alterClientQuotasV1.api.async(connection, [{ entities, ops }], false);
  const credential = { name: `user-${round}`, mechanism: 1, iterations: 4096 + round };
  const secret = { salt: randomBytes(16), saltedPassword: randomBytes(32) };
  await alterUserScramCredentialsV0.api.async(connection, [], [{ ...credential, ...secret }]);
  await connection.close();
}
