import { expect, test } from 'vitest';
import { decodeRecord, encodeRecord } from '../../../src/group/records.ts';

const T = 'AAECAwQFBgcICQoLDA0ODw';
const U = '_-7dzLuqmYh3ZlVEMyIRAA';

/** Kind, key and value, as GroupCoordinatorRecordHelpers and GroupCoordinatorRecordSerde of Apache Kafka 4.3.1 write them. */
const RECORDED: readonly [string, string, string | null][] = [
  ['member', '000a00016700016d', '0000027202630b2f3132372e302e302e31030274027500'],
  ['group', '000b000167', '000000000007cdbcc3ac3f42763500'],
  ['target', '000c000167', '0000000000070100080000018bcfe56800'],
  ['target-member', '000d00016700016d', '000002000102030405060708090a0b0c0d0e0f0300000000000000020000'],
  [
    'current-member',
    '000e00016700016d',
    '000000000007000000060002000102030405060708090a0b0c0d0e0f0300000000000000020000',
  ],
  [
    'state-partitions',
    '000f000167',
    '000002000102030405060708090a0b0c0d0e0f027402000000010002000102030405060708090a0b0c0d0e0f02740300000000000000020002ffeeddccbbaa9988776655443322110002750000',
  ],
  ['group', '000b000167', null],
  ['member', '000a00016700016d', null],
];

const VALUES: Readonly<Record<string, object>> = {
  member: { rackId: 'r', clientId: 'c', clientHost: '/127.0.0.1', subscribedTopicNames: ['t', 'u'] },
  group: { epoch: 7, metadataHash: -3621804855749609931n },
  target: { assignmentEpoch: 7, assignmentTimestamp: 1_700_000_000_000 },
  'target-member': { topicPartitions: [{ topicId: T, partitions: [0, 2] }] },
  'current-member': {
    memberEpoch: 7,
    previousMemberEpoch: 6,
    state: 0,
    assignedPartitions: [{ topicId: T, partitions: [0, 2] }],
  },
  'state-partitions': {
    initializingTopics: [{ topicId: T, topicName: 't', partitions: [1] }],
    initializedTopics: [{ topicId: T, topicName: 't', partitions: [0, 2] }],
    deletingTopics: [{ topicId: U, topicName: 'u' }],
  },
};

test.each(RECORDED)('%s %s: read and written as Kafka does', (what, key, value) => {
  const record = decodeRecord(Buffer.from(key, 'hex'), value === null ? null : Buffer.from(value, 'hex'));
  expect(record).toMatchObject({ type: 'share', what, groupId: 'g', value: value === null ? null : VALUES[what] });
  if (record === null) throw new Error('not decoded');
  const written = encodeRecord(record);
  expect(written.key.toString('hex')).toBe(key);
  expect(written.value?.toString('hex') ?? null).toBe(value);
});
