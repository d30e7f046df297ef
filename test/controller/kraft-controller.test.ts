import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PartitionRecord, TopicRecord } from '../../protocol/metadata/index.ts';
import { imageRecords } from '../../src/controller/image-records.ts';
import { KraftController } from '../../src/controller/kraft-controller.ts';
import { encodeRecord, type MetadataRecord, record } from '../../src/controller/records.ts';
import type { Clock } from '../../src/env.ts';
import { MetadataLog } from '../../src/raft/driver.ts';
import { decodeSnapshot, snapshotIdOf } from '../../src/raft/snapshot-file.ts';
import { systemClock, systemRandom } from '../../src/system-env.ts';
import { MemoryDisk } from '../../storage/index.ts';
import { brokerConfig } from '../config/samples.ts';
import { DIRECTORY_ID, voter } from '../raft/voters.ts';
import { CollectingLogger } from '../support/loggers.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const disk = () => new MemoryDisk();

interface OpenOptions {
  readonly properties?: Record<string, string>;
  readonly clock?: Clock;
  readonly logger?: CollectingLogger;
}

function openOnly(on: MemoryDisk, { properties, clock, logger }: OpenOptions = {}): Promise<KraftController> {
  on.makeDir('/data');
  const config = brokerConfig(properties);
  return KraftController.open({
    disk: on,
    dir: '/data',
    nodeId: 1,
    directoryId: DIRECTORY_ID,
    config: () => config,
    clock: clock ?? systemClock,
    random: systemRandom,
    logger: logger ?? new CollectingLogger(),
  });
}

async function open(on: MemoryDisk, options: OpenOptions = {}): Promise<KraftController> {
  const controller = await openOnly(on, options);
  await controller.registerBroker({ endpoints: [], rack: null, directories: [systemRandom.uuid()] });
  return controller;
}

describe('the controller', () => {
  it('answers a change when its listeners have seen it', async () => {
    const controller = await open(disk());
    const seen: string[] = [];
    controller.subscribe(async (_image, delta) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      seen.push(...delta.createdTopics);
    });
    await Promise.all([controller.ensureTopics(['a']), controller.ensureTopics(['b'])]);
    expect(seen).toEqual(['a', 'b']);
    await controller.close();
  });

  it('fails the change that a listener fails on, and no later one', async () => {
    const controller = await open(disk());
    controller.subscribe((_image, delta) => {
      if (delta.createdTopics.has('bad')) throw new Error('no room');
    });
    await expect(controller.ensureTopics(['bad'])).rejects.toThrow('no room');
    expect((await controller.ensureTopics(['good'])).get('good')).toBe(0);
    expect(controller.image.topic('good')).toBeDefined();
    await controller.close();
  });

  it('has its topics, configurations, features and producer ids again after a restart, in a later epoch', async () => {
    const on = disk();
    const first = await open(on);
    await first.ensureTopics(['kept', '__consumer_offsets']);
    const { firstProducerId } = await first.allocateProducerIds();
    const { leaderEpoch } = first.quorum();
    const features = [...first.image.features];
    await first.close();
    const second = await open(on);
    expect(second.quorum().leaderEpoch).toBe(leaderEpoch + 1);
    expect(second.image.topic('kept')?.id).toBe(first.image.topic('kept')?.id);
    expect(second.image.configs(2, '__consumer_offsets').get('cleanup.policy')).toBe('compact');
    expect([...second.image.features]).toEqual(features);
    expect((await second.allocateProducerIds()).firstProducerId).toBe(firstProducerId + 1000);
    await second.close();
  });
});

describe('the voters of a new cluster', () => {
  const STATIC = { properties: { 'controller.quorum.voters': '1@localhost:9093' } };

  const kraftVersionOf = async (on: MemoryDisk, options: OpenOptions): Promise<number> => {
    const controller = await openOnly(on, options);
    await controller.close();
    return controller.quorum().kraftVersion;
  };

  it('stand in its log, and stay there whatever the configuration says', async () => {
    const on = disk();
    expect(await kraftVersionOf(on, {})).toBe(1);
    expect(await kraftVersionOf(on, STATIC)).toBe(1);
  });

  it('stand in the configuration, if it names them, and stay there', async () => {
    const on = disk();
    expect(await kraftVersionOf(on, STATIC)).toBe(0);
    expect(await kraftVersionOf(on, {})).toBe(0);
  });

  it('stand in the configuration, if kafka-storage has left none', async () => {
    const [formatted, on] = [disk(), disk()];
    await kraftVersionOf(formatted, STATIC);
    on.makeDir('/data');
    on.writeFile('/data/bootstrap.checkpoint', formatted.readFile('/data/bootstrap.checkpoint') as Buffer);
    expect(await kraftVersionOf(on, {})).toBe(0);
  });

  it('come into the log by UpdateFeatures, and are in the snapshots from then on', async () => {
    const on = disk();
    const first = await open(on, STATIC);
    const featureUpdates = [{ feature: 'kraft.version', maxVersionLevel: 1, upgradeType: 1, allowDowngrade: false }];
    await first.updateFeatures({ featureUpdates, timeoutMs: 0, validateOnly: true });
    expect(first.quorum().kraftVersion).toBe(0);
    await first.updateFeatures({ featureUpdates, timeoutMs: 0, validateOnly: false });
    expect(first.quorum()).toMatchObject({ kraftVersion: 1, voters: [{ id: 1, directoryId: DIRECTORY_ID }] });
    await first.close();
    const second = await openOnly(on, { properties: AFTER_EACH_CHANGE });
    await second.ensureTopics(['a']);
    await second.close();
    const [snapshot] = checkpoints(on);
    const { controls } = decodeSnapshot(on.readFile(`${DIR}/${snapshot}`) as Buffer);
    expect(controls.map(({ type }) => type)).toContain('kraft-voters');
  });
});

const DIR = '/data/__cluster_metadata-0';
/** The snapshots, without the one of nothing that a new cluster begins with. */
const checkpoints = (on: MemoryDisk) => on.list(DIR).filter((name) => snapshotIdOf(name)?.endOffset);
/** Refuses the last step of each snapshot. */
class WithoutSnapshots extends MemoryDisk {
  override rename(from: string, to: string): void {
    if (snapshotIdOf(basename(to))?.endOffset) throw new Error('no room');
    super.rename(from, to);
  }
}
const AFTER_EACH_CHANGE = { 'metadata.log.max.record.bytes.between.snapshots': '1' };

describe('snapshots of the metadata', () => {
  it('are written after so many bytes of records, and hold the same image', async () => {
    const on = disk();
    const first = await open(on, { properties: { 'metadata.log.max.record.bytes.between.snapshots': '5000' } });
    await first.ensureTopics(['few']);
    expect(checkpoints(on)).toEqual([]);
    for (let i = 0; i < 50; i++) await first.ensureTopics([`t${i}`]);
    await first.allocateProducerIds();
    await first.close();
    expect(checkpoints(on)).toHaveLength(1);
    const second = await openOnly(on);
    const { offset, leaderEpoch, timestampMs, ...rest } = second.image.fields;
    expect(rest).toEqual({ ...first.image.fields, offset: undefined, leaderEpoch: undefined, timestampMs: undefined });
    expect([offset, leaderEpoch]).toEqual([first.image.offset + 1, first.image.leaderEpoch + 1]);
    await second.close();
  });

  it('are written after so much time, if there is something new', async () => {
    const on = disk();
    const clock = new VirtualClock();
    const controller = await open(on, { clock, properties: { 'metadata.log.max.snapshot.interval.ms': '1000' } });
    await controller.maintain();
    expect(checkpoints(on)).toEqual([]);
    await clock.advance(1000);
    await controller.maintain();
    await clock.advance(1000);
    expect(checkpoints(on)).toHaveLength(1);
    await controller.maintain();
    await clock.advance(1000);
    expect(checkpoints(on)).toHaveLength(1);
    await controller.close();
  });

  it('are let go with the log below them, and the cluster is the same', async () => {
    const on = disk();
    const limits = {
      ...AFTER_EACH_CHANGE,
      'internal.metadata.log.segment.bytes': '1500',
      'metadata.max.retention.bytes': '0',
    };
    const first = await open(on, { properties: limits });
    for (let i = 0; i < 20; i++) {
      await first.ensureTopics([`t${i}`]);
      await first.maintain();
    }
    await first.close();
    expect(on.list(DIR)).not.toContain('00000000000000000000.log');
    expect(checkpoints(on).length).toBeLessThanOrEqual(2);
    const second = await open(on, { properties: limits });
    expect(second.image.topicCount).toBe(20);
    expect((await second.ensureTopics(['more'])).get('more')).toBe(0);
    await second.close();
  });

  it('that cannot be written are logged, and change nothing else', async () => {
    const on = new WithoutSnapshots();
    const logger = new CollectingLogger();
    const controller = await open(on, { logger, properties: AFTER_EACH_CHANGE });
    expect((await controller.ensureTopics(['a'])).get('a')).toBe(0);
    await controller.close();
    expect(logger.of('error')).toContain('writing a snapshot of the metadata failed');
    expect(checkpoints(on)).toEqual([]);
  });

  it('make a start of 10,000 topics no slower than the log does', async () => {
    const topics = manyTopics(10_000);
    const [asLog, asSnapshot] = [disk(), disk()];
    for (const on of [asLog, asSnapshot]) await (await openOnly(on)).close();
    const byLog = await metadataLog(asLog);
    for (const topic of topics) byLog.append(topic.map(encodeRecord));
    await byLog.committed(byLog.endOffset - 1);
    await byLog.close();
    const { image } = await openOnly(asLog);
    const bySnapshot = await metadataLog(asSnapshot);
    const id = { endOffset: bySnapshot.endOffset, leaderEpoch: bySnapshot.leaderEpoch };
    await bySnapshot.createSnapshot(id, 0, [...imageRecords(image)].map(encodeRecord));
    await bySnapshot.close();
    const times = { log: Number.POSITIVE_INFINITY, snapshot: Number.POSITIVE_INFINITY };
    for (let i = 0; i < 5; i++) {
      times.log = Math.min(times.log, await startMs(asLog));
      times.snapshot = Math.min(times.snapshot, await startMs(asSnapshot));
    }
    expect(times.snapshot).toBeLessThan(times.log);
  });
});

/** Topics of one partition, as records. */
function manyTopics(count: number): MetadataRecord[][] {
  return Array.from({ length: count }, (_, i) => {
    const topicId = systemRandom.uuid();
    const place = { partitionId: 0, topicId, replicas: [1], isr: [1], leader: 1, leaderEpoch: 0, partitionEpoch: 0 };
    const rest = { removingReplicas: [], addingReplicas: [], directories: [] };
    return [record(TopicRecord, { name: `topic-${i}`, topicId }), record(PartitionRecord, { ...place, ...rest })];
  });
}

function metadataLog(on: MemoryDisk): Promise<MetadataLog> {
  const size = { segmentBytes: 1e8, segmentMs: 1e9 };
  const quorum = { local: voter(1), initialKraftVersion: 0 };
  const options = { disk: on, dir: '/data', clock: systemClock, logger: new CollectingLogger(), ...quorum, ...size };
  return MetadataLog.open(options, { snapshot: () => {}, batch: () => {} });
}

/** Time of the processor for one start; other work on the machine does not count. */
async function startMs(on: MemoryDisk): Promise<number> {
  const before = process.cpuUsage();
  const controller = await openOnly(on);
  const { user, system } = process.cpuUsage(before);
  expect(controller.image.topicCount).toBe(10_000);
  await controller.close();
  return (user + system) / 1000;
}
