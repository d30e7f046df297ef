import { describe, expect, it } from 'vitest';
import { PartitionRecord, RegisterBrokerRecord, TopicRecord } from '../../protocol/metadata/index.ts';
import { loadConfig } from '../../src/config/load.ts';
import { planFenceBroker, planUnfenceBroker } from '../../src/controller/cluster-control.ts';
import { MetadataImage, type PartitionImage } from '../../src/controller/image.ts';
import { decodeRecord, encodeRecord, type MetadataRecord, record } from '../../src/controller/records.ts';
import { Replay } from '../../src/controller/replay.ts';
import { systemRandom } from '../../src/system-env.ts';

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

const context = (image: MetadataImage) => ({ image, nodeId: 1, config, random: systemRandom });
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

  it('and leaves its partitions without a leader, in sync, when it goes', () => {
    const stopped = stoppedAt({ isr: [1], elr: [], lastKnownElr: [] });
    const up = replayed(stopped, planUnfenceBroker(context(stopped)));
    expect(up.broker(1)?.fenced).toBe(false);
    const down = replayed(up, planFenceBroker(context(up)));
    expect(down.broker(1)?.fenced).toBe(true);
    expect(only(down)).toMatchObject({ leader: -1, isr: [1] });
    expect(planFenceBroker(context(down))).toEqual([]);
  });
});
