/** What the codec benchmark encodes and decodes: each message in a small and a large form, as our own input objects. */
import { encodeBatch, type RecordInput } from '../../protocol/records/encode.ts';

export type Size = 'small' | 'large';
export const SIZES: readonly Size[] = ['small', 'large'];

export const TIMESTAMP = 1_700_000_000_000;
export const CLUSTER_ID = 'MkU3OEVBNTcwNTJENDM2Qg';

/** topics, partitions each, records in each partition of Produce and Fetch. */
export const SHAPE = {
  small: { topics: 1, partitions: 1, records: 1, members: 1 },
  large: { topics: 5, partitions: 4, records: 50, members: 20 },
} as const;
/** Metadata has more of both. */
export const METADATA_SHAPE = {
  small: { brokers: 1, topics: 1, partitions: 1 },
  large: { brokers: 3, topics: 100, partitions: 6 },
} as const;

export const list = <T>(length: number, make: (i: number) => T): T[] => Array.from({ length }, (_, i) => make(i));
export const topicName = (i: number): string => `orders.created.v${i}`;
export const topicIdBytes = (i: number): Buffer => Buffer.alloc(16, i + 1);

export function recordsOf(size: Size): RecordInput[] {
  return list(SHAPE[size].records, (i) => ({
    key: Buffer.from(`key-${i}`),
    value: Buffer.alloc(100, 97 + (i % 26)),
    timestamp: TIMESTAMP,
  }));
}

/** As a plain client writes it: leader epoch and epoch 0, sequence 0, no producer id. */
export function batchOf(records: readonly RecordInput[]): Buffer {
  return encodeBatch(records, { leaderEpoch: 0, producerEpoch: 0, baseSequence: 0 });
}

export const produceRequest = (size: Size, records: Buffer) => ({
  transactionalId: null,
  acks: -1,
  timeoutMs: 30_000,
  topicData: list(SHAPE[size].topics, (t) => ({
    name: topicName(t),
    partitionData: list(SHAPE[size].partitions, (p) => ({ index: p, records })),
  })),
});

export const produceResponse = (size: Size) => ({
  responses: list(SHAPE[size].topics, (t) => ({
    name: topicName(t),
    partitionResponses: list(SHAPE[size].partitions, (p) => ({
      index: p,
      errorCode: 0,
      baseOffset: 123_456_789 + p,
      logAppendTimeMs: -1,
      logStartOffset: 0,
    })),
  })),
  throttleTimeMs: 0,
});

/** `withIds`: topic ids in place of names, as from version 13 on. */
export const fetchRequest = (size: Size, withIds: boolean) => ({
  maxWaitMs: 500,
  minBytes: 1,
  maxBytes: 50 << 20,
  isolationLevel: 0,
  sessionId: 0,
  sessionEpoch: -1,
  topics: list(SHAPE[size].topics, (t) => ({
    ...(withIds ? { topicId: topicIdBytes(t).toString('base64url') } : { topic: topicName(t) }),
    partitions: list(SHAPE[size].partitions, (p) => ({
      partition: p,
      currentLeaderEpoch: 3,
      fetchOffset: 1_000_000 + p,
      logStartOffset: -1,
      partitionMaxBytes: 1 << 20,
    })),
  })),
  rackId: '',
});

export const fetchResponse = (size: Size, withIds: boolean) => {
  const records = batchOf(recordsOf(size));
  return {
    throttleTimeMs: 0,
    errorCode: 0,
    sessionId: 0,
    responses: list(SHAPE[size].topics, (t) => ({
      ...(withIds ? { topicId: topicIdBytes(t).toString('base64url') } : { topic: topicName(t) }),
      partitions: list(SHAPE[size].partitions, (p) => ({
        partitionIndex: p,
        highWatermark: 5_000_000,
        lastStableOffset: 5_000_000,
        logStartOffset: 0,
        abortedTransactions: [],
        preferredReadReplica: -1,
        records,
      })),
    })),
  };
};

export const metadataRequest = (size: Size) => ({
  topics: list(METADATA_SHAPE[size].topics, (t) => ({ name: topicName(t) })),
  allowAutoTopicCreation: true,
});

export const metadataResponse = (size: Size) => ({
  brokers: list(METADATA_SHAPE[size].brokers, (b) => ({
    nodeId: b + 1,
    host: `broker-${b + 1}.kafka.internal`,
    port: 9092,
    rack: null,
  })),
  clusterId: CLUSTER_ID,
  controllerId: 1,
  topics: list(METADATA_SHAPE[size].topics, (t) => ({
    name: topicName(t),
    partitions: list(METADATA_SHAPE[size].partitions, (p) => ({
      partitionIndex: p,
      leaderId: 1 + (p % METADATA_SHAPE[size].brokers),
      leaderEpoch: 3,
      replicaNodes: list(METADATA_SHAPE[size].brokers, (b) => b + 1),
      isrNodes: list(METADATA_SHAPE[size].brokers, (b) => b + 1),
      offlineReplicas: [],
    })),
  })),
});

const metadataOfMember = Buffer.from('00010000000200066f726465727300087061796d656e7473ffffffff', 'hex');

export const joinGroupRequest = () => ({
  groupId: 'payments-service',
  sessionTimeoutMs: 30_000,
  rebalanceTimeoutMs: 60_000,
  memberId: 'payments-1-7b2b8b1e-1f0a-4b43-8d0e-3c1f5a7d9e21',
  groupInstanceId: null,
  protocolType: 'consumer',
  protocols: [
    { name: 'RoundRobinAssigner', metadata: metadataOfMember },
    { name: 'range', metadata: metadataOfMember },
  ],
});

export const joinGroupResponse = (size: Size) => ({
  throttleTimeMs: 0,
  errorCode: 0,
  generationId: 12,
  protocolName: 'RoundRobinAssigner',
  leader: 'payments-1-7b2b8b1e-1f0a-4b43-8d0e-3c1f5a7d9e21',
  memberId: 'payments-1-7b2b8b1e-1f0a-4b43-8d0e-3c1f5a7d9e21',
  members: list(SHAPE[size].members, (i) => ({
    memberId: `payments-${i}-7b2b8b1e-1f0a-4b43-8d0e-3c1f5a7d9e21`,
    groupInstanceId: null,
    metadata: metadataOfMember,
  })),
});
