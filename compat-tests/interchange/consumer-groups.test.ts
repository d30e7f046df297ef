import { describe, expect, it, onTestFinished } from 'vitest';
import {
  ConsumerGroupDescribeRequest,
  ConsumerGroupDescribeResponse,
} from '../../protocol/messages/69-consumer-group-describe.ts';
import { WireClient } from '../../test/support/wire-client.ts';
import { type BrokerName, newHome, type OwnBroker, removeHome, startBroker } from '../brokers.ts';
import { eventually, times } from '../helpers.ts';
import { javaConsumers } from '../java/consumers.ts';
import { kafkajs } from '../kafkajs/client.ts';
import { oracleAvailable } from '../oracle/jars.ts';

const GROUP = 'live';
const TOPIC = 'shared';
const PARTITIONS = times(6, (i) => `${TOPIC}-${i}`);
const TIMEOUT_MS = 240_000;

const properties = {
  'offsets.topic.num.partitions': '2',
  'broker.heartbeat.interval.ms': '200',
  'broker.session.timeout.ms': '1000',
};

describe('a data directory with a consumer group whose members live on', () => {
  const oracle = oracleAvailable();
  if (!oracle.available) it.skip(`SKIPPED, Apache Kafka cannot be run: ${oracle.reason}`, () => {});
  else
    it.each([
      { order: ['odradek', 'kafka', 'odradek'], end: 'stop' },
      { order: ['kafka', 'odradek', 'kafka'], end: 'kill' },
    ] as const)('$order, each ended by $end: nobody is rebalanced', goOn, TIMEOUT_MS);
});

async function goOn({ order, end }: { order: readonly BrokerName[]; end: 'stop' | 'kill' }): Promise<void> {
  const home = await newHome('consumer-group');
  const bootstrapServers = `127.0.0.1:${home.port}`;
  let broker: OwnBroker = await startBroker(order[0], { ...home, properties });
  const consumers = javaConsumers(bootstrapServers, GROUP);
  onTestFinished(async () => {
    await consumers.quit();
    await broker.stop();
    removeHome(home);
  });
  const admin = kafkajs(bootstrapServers).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: PARTITIONS.length }] });
  await admin.disconnect();
  consumers.start('a', `topic=${TOPIC}`, 'group.protocol=consumer', 'group.instance.id=i');
  consumers.start('b', `topic=${TOPIC}`, 'group.protocol=consumer');
  await consumers.balanced(PARTITIONS, ['a', 'b']);
  const before = await eventually(async () => {
    const group = await describedGroup(bootstrapServers);
    return group.groupState === 'Stable' ? group : undefined;
  });
  for (const [turn, next] of order.slice(1).entries()) {
    await produce(bootstrapServers, 60);
    await eventually(() => consumers.recordCount >= 60 * (turn + 1));
    if (end === 'stop') await broker.stop();
    else await broker.kill();
    broker = await startBroker(next, { ...home, properties });
    await produce(bootstrapServers, 0);
    const after = await eventually(() => describedGroup(bootstrapServers), 60_000);
    expect(after).toEqual(before);
  }
  // a heartbeat of each has come since
  await new Promise((resolve) => setTimeout(resolve, 12_000));
  expect(await describedGroup(bootstrapServers)).toEqual(before);
  expect(consumers.failures.filter((line) => /^(failed|lost)/.test(line))).toEqual([]);
}

async function produce(bootstrapServers: string, count: number): Promise<void> {
  const producer = kafkajs(bootstrapServers).producer();
  await producer.connect();
  if (count > 0) await producer.send({ topic: TOPIC, messages: times(count, (i) => ({ key: `${i}`, value: `${i}` })) });
  await producer.disconnect();
}

/** The group, with its members and their partitions in order; throws while it cannot be had. */
async function describedGroup(bootstrapServers: string) {
  const client = await WireClient.connect(bootstrapServers);
  try {
    const api = { request: ConsumerGroupDescribeRequest, response: ConsumerGroupDescribeResponse };
    const { groups } = await client.request(api, 1, { groupIds: [GROUP] });
    if (groups[0].errorCode !== 0) throw new Error(`error ${groups[0].errorCode}`);
    const members = groups[0].members.map((member) => ({
      ...member,
      assignment: sorted(member.assignment.topicPartitions),
      targetAssignment: sorted(member.targetAssignment.topicPartitions),
    }));
    return { ...groups[0], members: members.sort((a, b) => (a.memberId < b.memberId ? -1 : 1)) };
  } finally {
    await client.close();
  }
}

const sorted = (topics: readonly { topicName: string; partitions: readonly number[] }[]): string[] =>
  topics.flatMap(({ topicName, partitions }) => partitions.map((index) => `${topicName}-${index}`)).sort();
