import { describe, expect, it } from 'vitest';
import {
  FeatureLevelRecord,
  PartitionRecord,
  RegisterBrokerRecord,
  TopicRecord,
} from '../../protocol/metadata/index.ts';
import { loadConfig } from '../../src/config/load.ts';
import {
  planControlledShutdown,
  planFenceBroker,
  planRegisterController,
  planUnfenceBroker,
} from '../../src/controller/cluster-control.ts';
import { MetadataImage, type PartitionImage } from '../../src/controller/image.ts';
import { decodeRecord, encodeRecord, type MetadataRecord, record } from '../../src/controller/records.ts';
import { Replay } from '../../src/controller/replay.ts';
import { systemRandom } from '../../src/system-env.ts';
import { brokerConfig } from '../config/samples.ts';

const { config } = loadConfig({});
const topicId = systemRandom.uuid();

function replayed(image: MetadataImage, records: readonly MetadataRecord[]): MetadataImage {
  const replay = new Replay(image);
  for (const r of records) replay.apply(decodeRecord(encodeRecord(r)));
  return replay.finish({ offset: image.offset + records.length, leaderEpoch: 1, timestampMs: 0 }).image;
}

/** Broker 1, fenced, and one partition as a shutdown left it. */
function stoppedAt(partition: { isr: number[]; elr: number[]; lastKnownElr: number[] }): MetadataImage {
  return replayed(MetadataImage.EMPTY, [
    record(RegisterBrokerRecord, { brokerId: 1, brokerEpoch: 5, fenced: true }),
    record(TopicRecord, { name: 't', topicId }),
    record(PartitionRecord, {
      partitionId: 0,
      topicId,
      replicas: [1],
      isr: partition.isr,
      eligibleLeaderReplicas: partition.elr,
      lastKnownElr: partition.lastKnownElr,
      leader: -1,
      leaderEpoch: 4,
      partitionEpoch: 4,
      directories: [],
    }),
  ]);
}

const context = (image: MetadataImage) => ({ image, nodeId: 1, kraftVersion: 0, config, random: systemRandom });
const only = (image: MetadataImage) => image.topicById(topicId)?.partitions[0] as PartitionImage;

describe('a broker that comes back leads', () => {
  it.each([
    ['where it is in sync', { isr: [1], elr: [], lastKnownElr: [] }],
    ['where it is eligible, as Kafka leaves it after a clean stop', { isr: [], elr: [1], lastKnownElr: [1] }],
    ['where it was the last leader', { isr: [], elr: [], lastKnownElr: [1] }],
  ])('%s', (_where, partition) => {
    const image = stoppedAt(partition);
    const led = only(replayed(image, planUnfenceBroker(context(image))));
    expect(led).toMatchObject({ leader: 1, leaderEpoch: 5, partitionEpoch: 5, isr: [1], elr: [], lastKnownElr: [] });
  });

  it('and not where others have newer data', () => {
    const image = stoppedAt({ isr: [2], elr: [3], lastKnownElr: [] });
    expect(only(replayed(image, planUnfenceBroker(context(image)))).leader).toBe(-1);
  });
});

describe('a broker that goes', () => {
  const ELR = record(FeatureLevelRecord, { name: 'eligible.leader.replicas.version', featureLevel: 1 });
  const up = (...more: MetadataRecord[]): MetadataImage => {
    const stopped = replayed(stoppedAt({ isr: [1], elr: [], lastKnownElr: [] }), more);
    return replayed(stopped, planUnfenceBroker(context(stopped)));
  };
  /** What the records say, without the fields that say nothing. */
  const said = (records: readonly MetadataRecord[]) => records.map((r) => [r.message.name, r.version, r.value]);

  it('leaves its partitions without a leader, in sync, without eligible leader replicas', () => {
    const image = up();
    expect(image.broker(1)?.fenced).toBe(false);
    const down = replayed(image, planFenceBroker(context(image)));
    expect(down.broker(1)?.fenced).toBe(true);
    expect(only(down)).toMatchObject({ leader: -1, isr: [1], elr: [] });
    expect(planFenceBroker(context(down))).toEqual([]);
  });

  it('says so, resigns, and is fenced then, as Kafka writes it', () => {
    const image = up(ELR);
    const shutdown = planControlledShutdown(context(image));
    const change = { leader: -1, isr: [], eligibleLeaderReplicas: [1], lastKnownElr: [1] };
    expect(said(shutdown)).toEqual([
      ['BrokerRegistrationChangeRecord', 1, { brokerId: 1, brokerEpoch: 5, inControlledShutdown: 1 }],
      ['PartitionChangeRecord', 2, { partitionId: 0, topicId, ...change }],
    ]);
    const stopping = replayed(image, shutdown);
    expect(stopping.broker(1)).toMatchObject({ fenced: false, inControlledShutdown: true });
    expect(planControlledShutdown(context(stopping))).toEqual([]);
    expect(said(planFenceBroker(context(stopping)))).toEqual([
      ['BrokerRegistrationChangeRecord', 0, { brokerId: 1, brokerEpoch: 5, fenced: 1 }],
    ]);
  });

  it('leads again what it led when it comes back, whether it said goodbye or not', () => {
    const image = up(ELR);
    for (const plan of [planControlledShutdown, planFenceBroker]) {
      const left = replayed(image, plan(context(image)));
      expect(only(left)).toMatchObject({ leader: -1, isr: [], elr: [1], lastKnownElr: [1] });
      const back = only(replayed(left, planUnfenceBroker(context(left))));
      expect(back).toMatchObject({ leader: 1, isr: [1], elr: [], lastKnownElr: [], leaderRecoveryState: 0 });
    }
  });
});

describe('a controller', () => {
  const incarnationId = systemRandom.uuid();
  const level = (featureLevel: number) =>
    replayed(MetadataImage.EMPTY, [record(FeatureLevelRecord, { name: 'metadata.version', featureLevel })]);
  const listeners = brokerConfig({ listeners: 'PLAINTEXT://:9092,CONTROLLER://127.0.0.1:9093' });

  it('registers with its listeners and the features that it supports', () => {
    const image = level(30);
    const after = replayed(image, planRegisterController({ ...context(image), config: listeners }, incarnationId));
    expect(after.fields.controllers.get(1)).toMatchObject({
      id: 1,
      incarnationId,
      endpoints: [{ name: 'CONTROLLER', host: '127.0.0.1', port: 9093, securityProtocol: 0 }],
      features: expect.arrayContaining([{ name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: 30 }]),
    });
  });

  it('does not where metadata.version does not know of it', () => {
    expect(planRegisterController(context(level(14)), incarnationId)).toEqual([]);
  });
});
