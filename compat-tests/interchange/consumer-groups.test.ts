import { expect, onTestFinished } from 'vitest';
import {
  ConsumerGroupDescribeRequest,
  ConsumerGroupDescribeResponse,
} from '../../protocol/messages/69-consumer-group-describe.ts';
import { WireClient } from '../../test/support/wire-client.ts';
import { eventually, times } from '../helpers.ts';
import { javaConsumers } from '../java/consumers.ts';
import { kafkajs } from '../kafkajs/client.ts';
import { BrokerInTurn, describeTurns } from './turns.ts';

const GROUP = 'live';
const TOPIC = 'shared';
const PARTITIONS = times(6, (i) => `${TOPIC}-${i}`);

const SUITE = 'a data directory with a consumer group whose members live on';
describeTurns(SUITE, 'nobody is rebalanced', async ({ order, end }) => {
  const broker = await BrokerInTurn.start(order[0], 'consumer-group');
  const { bootstrapServers } = broker;
  const consumers = javaConsumers(bootstrapServers, GROUP);
  onTestFinished(() => consumers.quit());
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
    await broker.handTo(next, end);
    await produce(bootstrapServers, 0);
    const after = await eventually(() => describedGroup(bootstrapServers), 60_000);
    expect(after).toEqual(before);
  }
  // a heartbeat of each has come since
  await new Promise((resolve) => setTimeout(resolve, 12_000));
  expect(await describedGroup(bootstrapServers)).toEqual(before);
  expect(consumers.failures.filter((line) => /^(failed|lost)/.test(line))).toEqual([]);
});

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
