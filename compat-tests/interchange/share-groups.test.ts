import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ConfigResourceTypes, Connection, incrementalAlterConfigsV1 } from '@platformatic/kafka';
import { expect, onTestFinished } from 'vitest';
import {
  ShareGroupDescribeRequest,
  ShareGroupDescribeResponse,
} from '../../protocol/messages/77-share-group-describe.ts';
import {
  DescribeShareGroupOffsetsRequest,
  DescribeShareGroupOffsetsResponse,
} from '../../protocol/messages/90-describe-share-group-offsets.ts';
import { WireClient } from '../../test/support/wire-client.ts';
import { eventually, times } from '../helpers.ts';
import { kafkajs } from '../kafkajs/client.ts';
import { programCommand } from '../oracle/tool.ts';
import { BrokerInTurn, describeTurns } from './turns.ts';

const GROUP = 'live-share';
const TOPIC = 'shared';
const PARTITIONS = 3;
const MEMBERS = 2;
/** Records a turn, as many in each partition. */
const RECORDS = 60;

const PROPERTIES = {
  'share.coordinator.state.topic.num.partitions': '2',
  'share.coordinator.snapshot.update.records.per.snapshot': '5',
};

const SUITE = 'a data directory with a share group whose members live on';
describeTurns(SUITE, 'members stay, and each record comes once', async ({ order, end }) => {
  const broker = await BrokerInTurn.start(order[0], 'share-group', PROPERTIES);
  const { bootstrapServers } = broker;
  await prepare(bootstrapServers);
  const readers = new Readers(bootstrapServers);
  onTestFinished(() => readers.quit());
  await eventually(async () => (await members(bootstrapServers)).length === MEMBERS, 60_000);
  const before = await eventually(async () => {
    const all = await members(bootstrapServers);
    return all.flatMap(({ partitions }) => partitions).length >= PARTITIONS ? all : undefined;
  });
  for (const [turn, name] of order.entries()) {
    if (turn > 0) await broker.handTo(name, end);
    await produce(bootstrapServers, turn);
    // Accepted, and written: a member that loses its broker before that gets a record once more, as it should.
    await eventually(async () => (await lags(bootstrapServers)).every((lag) => lag === 0), 60_000);
    await eventually(() => readers.values.length === (turn + 1) * RECORDS);
  }
  expect(await members(bootstrapServers)).toEqual(before);
  await readers.quit();
  const expected = times(order.length * RECORDS, String).sort();
  expect(readers.values.sort()).toEqual(expected);
  expect(readers.failures).toEqual([]);
});

/** The topic, and a group that reads it from its beginning. */
async function prepare(bootstrapServers: string): Promise<void> {
  const admin = kafkajs(bootstrapServers).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: PARTITIONS }] });
  await admin.disconnect();
  const [host, port] = bootstrapServers.split(':');
  const connection = new Connection('share-groups');
  await connection.connect(host, Number(port));
  const configs = [{ name: 'share.auto.offset.reset', configOperation: 0 as const, value: 'earliest' }];
  const resources = [{ resourceType: ConfigResourceTypes.GROUP, resourceName: GROUP, configs }];
  await incrementalAlterConfigsV1.api.async(connection, resources, false);
  await connection.close();
}

async function produce(bootstrapServers: string, turn: number): Promise<void> {
  const producer = kafkajs(bootstrapServers).producer();
  await producer.connect();
  const messages = times(RECORDS, (i) => ({ partition: i % PARTITIONS, value: String(turn * RECORDS + i) }));
  await producer.send({ topic: TOPIC, messages });
  await producer.disconnect();
}

/** Members of the group in Java's process. */
class Readers {
  readonly values: string[] = [];
  readonly failures: string[] = [];
  readonly #process;
  readonly #ended: Promise<void>;

  constructor(bootstrapServers: string) {
    const source = join(import.meta.dirname, '..', 'java', 'ShareReaders.java');
    const args = programCommand(source, [bootstrapServers, GROUP, TOPIC, String(MEMBERS)]);
    this.#process = spawn('java', args, { stdio: ['pipe', 'pipe', 'ignore'] });
    this.#ended = new Promise((resolve) => this.#process.once('close', () => resolve()));
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      const [what, , value] = line.split(' ');
      if (what === 'record') this.values.push(value);
      else if (what !== 'stopped') this.failures.push(line);
    });
  }

  async quit(): Promise<void> {
    this.#process.stdin.end('quit\n');
    await this.#ended;
  }
}

async function asked<T>(bootstrapServers: string, ask: (client: WireClient) => Promise<T>): Promise<T> {
  const client = await WireClient.connect(bootstrapServers);
  try {
    return await ask(client);
  } finally {
    await client.close();
  }
}

/** The group's members with their epochs and partitions, in order; throws while the group cannot be had. */
function members(bootstrapServers: string) {
  return asked(bootstrapServers, async (client) => {
    const api = { request: ShareGroupDescribeRequest, response: ShareGroupDescribeResponse };
    const { groups } = await client.request(api, 1, { groupIds: [GROUP] });
    if (groups[0].errorCode !== 0) throw new Error(`error ${groups[0].errorCode}`);
    const found = groups[0].members.map(({ memberId, memberEpoch, assignment }) => {
      const partitions = assignment.topicPartitions.flatMap((topic) => topic.partitions).sort();
      return { memberId, memberEpoch, partitions };
    });
    return found.sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
  });
}

/** By partition, how many records are not accepted yet. */
function lags(bootstrapServers: string): Promise<number[]> {
  return asked(bootstrapServers, async (client) => {
    const api = { request: DescribeShareGroupOffsetsRequest, response: DescribeShareGroupOffsetsResponse };
    const topics = [{ topicName: TOPIC, partitions: times(PARTITIONS, Number) }];
    const { groups } = await client.request(api, 1, { groups: [{ groupId: GROUP, topics }] });
    if (groups[0].errorCode !== 0) throw new Error(`error ${groups[0].errorCode}`);
    return groups[0].topics[0].partitions.map(({ lag }) => Number(lag));
  });
}
