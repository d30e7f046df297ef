import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { listOffsets } from '../../src/api/02-list-offsets.ts';
import { findCoordinator } from '../../src/api/10-find-coordinator.ts';
import { createTopics } from '../../src/api/19-create-topics.ts';
import { initializeShareGroupState } from '../../src/api/83-initialize-share-group-state.ts';
import { readShareGroupState } from '../../src/api/84-read-share-group-state.ts';
import { writeShareGroupState } from '../../src/api/85-write-share-group-state.ts';
import { deleteShareGroupState } from '../../src/api/86-delete-share-group-state.ts';
import { WireClient } from '../../test/support/wire-client.ts';
import {
  type BrokerName,
  brokerNames,
  type Home,
  newHome,
  type OwnBroker,
  removeHome,
  startBroker,
} from '../brokers.ts';
import { eventually } from '../helpers.ts';
import { oracleAvailable } from '../oracle/jars.ts';
import { runTool } from '../oracle/tool.ts';

const SHARE = 2;
const GROUP = 'g';
const EARLIEST = -2;
const PARTITIONS = [0, 1, 2];
const properties = {
  'share.coordinator.state.topic.num.partitions': '1',
  'share.coordinator.snapshot.update.records.per.snapshot': '2',
};

describe('the state of share groups in files', () => {
  const oracle = oracleAvailable();
  if (!oracle.available) it.skip(`SKIPPED, Apache Kafka cannot be run: ${oracle.reason}`, () => {});
  else {
    it('of odradek is that of Kafka, record by record, as Kafka dumps it', async () => {
      const dumps = await Promise.all([recordsOf('odradek'), recordsOf('kafka')]);
      expect(dumps[0]).toEqual(dumps[1]);
      expect(dumps[0]).toHaveLength(9);
    }, 120_000);

    it.each(brokerNames)(
      'of %s is pruned below what is needed',
      async (name) => {
        const often = {
          'share.coordinator.snapshot.update.records.per.snapshot': '0',
          'share.coordinator.state.topic.prune.interval.ms': '200',
        };
        await serve(
          name,
          await temporaryHome(),
          async (client) => {
            await writeAll(client);
            // two are left, and of each the last snapshot
            await eventually(async () => (await logStart(client)) >= 2);
          },
          often,
        );
      },
      120_000,
    );

    it.each([
      ['odradek', 'kafka'],
      ['kafka', 'odradek'],
    ] as const)(
      'of %s is what %s goes on with',
      async (first, second) => {
        const home = await temporaryHome();
        const before = await serve(first, home, async (client) => {
          const topicId = await writeAll(client);
          return { topicId, state: await readAll(client, topicId) };
        });
        const after = await serve(second, home, (client) => readAll(client, before.topicId));
        expect(after).toEqual(before.state);
        const stateBatches = [
          { firstOffset: 5, lastOffset: 7, deliveryState: 2, deliveryCount: 1 },
          { firstOffset: 9, lastOffset: 9, deliveryState: 0, deliveryCount: 4 },
        ];
        expect(after[0]).toMatchObject({ errorCode: 0, startOffset: 3, stateBatches });
      },
      120_000,
    );
  }
});

async function temporaryHome(): Promise<Home> {
  const home = await newHome('share-state');
  onTestFinished(() => removeHome(home));
  return home;
}

async function serve<T>(
  name: BrokerName,
  home: Home,
  work: (client: WireClient) => Promise<T>,
  more: Record<string, string> = {},
): Promise<T> {
  const broker: OwnBroker = await startBroker(name, { ...home, properties: { ...properties, ...more } });
  const client = await WireClient.connect(broker.bootstrapServers);
  try {
    return await work(client);
  } finally {
    await client.close();
    await broker.stop();
  }
}

async function logStart(client: WireClient): Promise<number> {
  const partitions = [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: EARLIEST }];
  const request = { replicaId: -1, isolationLevel: 0, topics: [{ name: '__share_group_state', partitions }] };
  const { topics } = await client.request(listOffsets, 7, request);
  return Number(topics[0].partitions[0].offset);
}

/** A topic, and of its partitions one with snapshots and updates, one untouched, one deleted; gives the topic's id. */
async function writeAll(client: WireClient): Promise<string> {
  const topic = { name: 't', numPartitions: PARTITIONS.length, replicationFactor: 1, assignments: [], configs: [] };
  const created = await client.request(createTopics, 7, { topics: [topic], timeoutMs: 10_000, validateOnly: false });
  const { topicId } = created.topics[0];
  const coordinatorKeys = [`${GROUP}:${topicId}:0`];
  await eventually(async () => {
    const found = await client.request(findCoordinator, 6, { keyType: SHARE, coordinatorKeys });
    return found.coordinators[0].errorCode === 0;
  });
  const of = <P>(partition: P) => ({ groupId: GROUP, topics: [{ topicId, partitions: [partition] }] });
  for (const partition of PARTITIONS) {
    const begun = of({ partition, stateEpoch: 1, startOffset: partition === 1 ? -1 : 0 });
    await eventually(async () => {
      const { results } = await client.request(initializeShareGroupState, 0, begun);
      return results[0].partitions[0].errorCode === 0;
    });
  }
  for (const startOffset of [0, 1, 2, 3]) {
    const stateBatches = [
      { firstOffset: 5, lastOffset: 5 + startOffset - 1, deliveryState: 2, deliveryCount: 1 },
      { firstOffset: 9, lastOffset: 9, deliveryState: 0, deliveryCount: startOffset + 1 },
    ].filter(({ firstOffset, lastOffset }) => firstOffset <= lastOffset);
    const written = {
      partition: 0,
      stateEpoch: 1,
      leaderEpoch: 0,
      startOffset,
      deliveryCompleteCount: startOffset,
      stateBatches,
    };
    await client.request(writeShareGroupState, 1, of(written));
  }
  await client.request(readShareGroupState, 0, of({ partition: 1, leaderEpoch: 4 }));
  await client.request(deleteShareGroupState, 0, of({ partition: 2 }));
  return topicId;
}

async function readAll(client: WireClient, topicId: string) {
  const partitions = PARTITIONS.map((partition) => ({ partition, leaderEpoch: -1 }));
  const request = { groupId: GROUP, topics: [{ topicId, partitions }] };
  const read = async () => {
    const { results } = await client.request(readShareGroupState, 0, request);
    return results[0].partitions.toSorted((a, b) => a.partition - b.partition);
  };
  await eventually(async () => (await read())[0].errorCode === 0);
  return read();
}

/** Keys and values as Kafka's DumpLogSegments decodes them, without what differs from run to run. */
async function recordsOf(name: BrokerName): Promise<string[]> {
  const home = await temporaryHome();
  await serve(name, home, writeAll);
  const folder = join(home.directory, 'data', '__share_group_state-0');
  const [file] = readdirSync(folder).filter((f) => f.endsWith('.log') && statSync(join(folder, f)).size > 0);
  const args = ['--files', join(folder, file), '--share-group-state-decoder'];
  const { stdout, stderr, code } = await runTool('org.apache.kafka.tools.DumpLogSegments', args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const records = stdout.split('\n').filter((line) => line.includes('payload:') || line.includes('key:'));
  return records.map((line) =>
    line
      .slice(line.indexOf('key:'))
      .replace(/"topicId":"[^"]*"/, '"topicId":"*"')
      .replace(/"(create|write)Timestamp":\d+/g, '"$1Timestamp":0'),
  );
}
