import { describe, expect, it, onTestFinished } from 'vitest';
import { type BrokerName, newHome, type OwnBroker, removeHome, startBroker } from '../brokers.ts';
import { times } from '../helpers.ts';
import { registerCodecs } from '../kafkajs/codecs.ts';
import { oracleAvailable } from '../oracle/jars.ts';
import { addLoad, compactedTopics, createTopics, groupsAfter } from './load.ts';
import { readAll } from './records.ts';
import { observe, type State } from './state.ts';
import { startStorm } from './storm.ts';

registerCodecs();

const TURNS = 6;
const TIMEOUT_MS = 180_000;
const STORM = 'storm';

const properties = {
  'offsets.topic.num.partitions': '4',
  // A broker that was killed is soon gone for Kafka's controller.
  'broker.heartbeat.interval.ms': '200',
  'broker.session.timeout.ms': '1000',
  // Where a log starts is on disk before a kill: by default it is written once a minute, and Kafka begins after half a one.
  'log.flush.start.offset.checkpoint.interval.ms': '100',
  'log.initial.task.delay.ms': '100',
  // Compaction between the turns.
  'log.cleaner.backoff.ms': '200',
};

describe('one data directory, used in turns', () => {
  const oracle = oracleAvailable();
  if (!oracle.available) it.skip(`SKIPPED, Apache Kafka cannot be run: ${oracle.reason}`, () => {});
  else
    it.each([
      { first: 'odradek', second: 'kafka', end: 'stop' },
      { first: 'kafka', second: 'odradek', end: 'stop' },
      { first: 'odradek', second: 'kafka', end: 'kill' },
      { first: 'kafka', second: 'odradek', end: 'kill' },
    ] as const)('$first, then $second, three turns each, each ended by $end: all is as it was', takeTurns, TIMEOUT_MS);
});

/** Each turn finds what the one before it left, adds to it, and ends; a producer writes all the while. */
async function takeTurns({ first, second, end }: { first: BrokerName; second: BrokerName; end: 'stop' | 'kill' }) {
  const home = await newHome('interchange');
  let broker: OwnBroker | undefined;
  onTestFinished(async () => {
    await broker?.stop();
    removeHome(home);
  });
  const bootstrapServers = `127.0.0.1:${home.port}`;
  const lookAfter = (round: number): Promise<State> =>
    observe({ bootstrapServers, compacted: compactedTopics, ignored: [STORM], groups: groupsAfter(round) });

  broker = await startBroker(first, { ...home, properties });
  await createTopics(bootstrapServers);
  const storm = await startStorm(bootstrapServers, STORM);
  let before: State | undefined;
  for (let turn = 0; turn < TURNS; turn++) {
    if (turn > 0) broker = await startBroker(turn % 2 === 0 ? first : second, { ...home, properties });
    if (before !== undefined) expect(await lookAfter(turn - 1), `turn ${turn}`).toEqual(before);
    await addLoad(bootstrapServers, turn);
    before = await lookAfter(turn);
    if (turn < TURNS - 1) await broker[end]();
  }
  const acknowledged = await storm.stop();
  const range = { start: 0n, end: BigInt(acknowledged) };
  const messages = await readAll(bootstrapServers, [STORM], new Map([[`${STORM}-0`, range]]));
  expect(messages.get(`${STORM}-0`)?.map(({ value }) => String(value))).toEqual(times(acknowledged, String));
}
