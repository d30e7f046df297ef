/** The codecs inside @platformatic/kafka, on the work of codec-ours.ts. */
import { fetchV17, joinGroupV9, metadataV12, produceV11, Reader, type Writer } from '@platformatic/kafka';
import type { Versions, Work } from './codec-ours.ts';
import type { Size } from './codec-samples.ts';
import * as samples from './codec-samples.ts';

/** The newest versions that @platformatic/kafka 1.35 has. */
export const PLATFORMATIC_VERSIONS: Versions = { produce: 11, fetch: 17, metadata: 12, joinGroup: 9 };

/** In the order of `clientWork`; decoding takes our bytes. */
export function platformaticWork(size: Size, bytes: readonly Buffer[]): Work[] {
  const { topics, partitions, records } = samples.SHAPE[size];
  const recordsOfOne = samples.recordsOf(size);
  const messages = samples.list(topics * partitions * records, (i) => ({
    topic: samples.topicName(Math.floor(i / (partitions * records))),
    partition: Math.floor(i / records) % partitions,
    key: recordsOfOne[i % records].key as Buffer,
    value: recordsOfOne[i % records].value as Buffer,
    timestamp: BigInt(samples.TIMESTAMP),
  }));
  const fetch = samples.fetchRequest(size, true);
  const fetchTopics = fetch.topics.map((t, i) => ({
    topicId: samples.topicIdBytes(i).toString('hex'),
    partitions: t.partitions.map((p) => ({
      partition: p.partition,
      currentLeaderEpoch: p.currentLeaderEpoch,
      fetchOffset: BigInt(p.fetchOffset),
      lastFetchedEpoch: -1,
      partitionMaxBytes: p.partitionMaxBytes,
    })),
  }));
  const topicNames = samples.metadataRequest(size).topics.map((t) => t.name);
  const join = samples.joinGroupRequest();
  return [
    encoding(() => produceV11.createRequest(-1, 30_000, messages)),
    decoding((reader) => produceV11.parseResponse(0, 0, 11, reader), bytes[1]),
    encoding(() => fetchV17.createRequest(500, 1, 50 << 20, 0, 0, -1, fetchTopics, [], '')),
    decoding((reader) => fetchV17.parseResponse(0, 1, 17, reader), bytes[3]),
    encoding(() => metadataV12.createRequest(topicNames, true)),
    decoding((reader) => metadataV12.parseResponse(0, 3, 12, reader), bytes[5]),
    encoding(() =>
      joinGroupV9.createRequest(
        join.groupId,
        join.sessionTimeoutMs,
        join.rebalanceTimeoutMs,
        join.memberId,
        null,
        join.protocolType,
        join.protocols,
        null,
      ),
    ),
    decoding((reader) => joinGroupV9.parseResponse(0, 11, 9, reader), bytes[7]),
  ];
}

function encoding(create: () => Writer): Work {
  const run = () => create().buffer;
  return { bytes: run(), run };
}

function decoding(parse: (reader: Reader) => unknown, bytes: Buffer): Work {
  return { bytes, run: () => parse(Reader.from(bytes)) };
}
