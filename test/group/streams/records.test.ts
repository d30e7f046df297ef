/** The bytes are those of Apache Kafka 4.3.1. */
import { describe, expect, it } from 'vitest';
import { decodeRecord, encodeRecord, type GroupRecord } from '../../../src/group/records.ts';
import {
  assignmentRecord,
  groupTombstones,
  memberRecord,
  memberTargetRecord,
} from '../../../src/group/streams/records.ts';
import { MemberState, newMember, type StreamsMember } from '../../../src/group/streams/streams-member.ts';

const MEMBER: StreamsMember = {
  ...newMember('m'),
  memberEpoch: 3,
  previousMemberEpoch: 2,
  state: MemberState.UNREVOKED_TASKS,
  metadata: {
    instanceId: null,
    rackId: 'r',
    clientId: 'c',
    clientHost: '/h',
    rebalanceTimeoutMs: 20_000,
    topologyEpoch: 0,
    processId: 'p',
    userEndpoint: { host: 'e', port: 65_000 },
    clientTags: [
      { key: 'a', value: 'b' },
      { key: 'k', value: 'v' },
    ],
  },
  assigned: {
    active: new Map([
      [
        '0',
        new Map([
          [1, 2],
          [0, 3],
        ]),
      ],
    ]),
    standby: new Map([['1', new Set([4, 2])]]),
    warmup: new Map(),
  },
  pendingRevocation: { active: new Map([['0', new Map([[5, 2]])]]), standby: new Map(), warmup: new Map() },
};

const TARGET = {
  active: new Map([
    ['1', new Set([3, 1])],
    ['0', new Set([0])],
  ]),
  standby: new Map([['0', new Set([2])]]),
  warmup: new Map(),
};

const TOPOLOGY = {
  epoch: 1,
  subtopologies: [
    {
      subtopologyId: '0',
      sourceTopics: ['in'],
      sourceTopicRegex: [],
      stateChangelogTopics: [
        { name: 'log', partitions: 0, replicationFactor: 0, topicConfigs: [{ key: 'k', value: 'v' }] },
      ],
      repartitionSinkTopics: ['s'],
      repartitionSourceTopics: [{ name: 're', partitions: 2, replicationFactor: 1, topicConfigs: [] }],
      copartitionGroups: [{ sourceTopics: [0], sourceTopicRegex: [], repartitionSourceTopics: [0] }],
    },
  ],
};

const GROUP = {
  epoch: 3,
  metadataHash: -2,
  validatedTopologyEpoch: 0,
  lastAssignmentConfigs: [{ key: 'num.standby.replicas', value: '1' }],
};

const of = { type: 'streams', groupId: 'g' } as const;

const samples: [what: string, record: GroupRecord, key: string, value: string][] = [
  [
    'a group',
    { ...of, part: 'group', value: GROUP },
    '0011000167',
    '000000000003fffffffffffffffe02000400000000011902156e756d2e7374616e6462792e7265706c69636173023100',
  ],
  [
    'a topology',
    { ...of, part: 'topology', value: TOPOLOGY },
    '0017000167',
    '0000000000010202300203696e0102046c6f6700000000000002026b027600000202730203726500000002000101000202000001020000000000',
  ],
  [
    'the target of an epoch',
    { ...of, part: 'target', value: { assignmentEpoch: 3, assignmentTimestamp: 1_700_000_000_000 } },
    '0014000167',
    '0000000000030100080000018bcfe56800',
  ],
  [
    'a member',
    memberRecord('g', MEMBER),
    '001300016700016d',
    '00000002720263032f6800004e20000000000270010265fde800030261026200026b02760000',
  ],
  [
    'the target of a member',
    memberTargetRecord('g', 'm', TARGET),
    '001500016700016d',
    '00000302300200000000000231030000000100000003000202300200000002000100',
  ],
  [
    'the assignment of a member',
    assignmentRecord('g', MEMBER),
    '001600016700016d',
    '0000000000030000000202020230030000000000000001010009030000000300000002020231030000000200000004000102023002000000' +
      '050100050200000002010100',
  ],
];

describe.each(samples)('%s', (_what, record, key, value) => {
  it('has its bytes', () => {
    const encoded = encodeRecord(record);
    expect([encoded.key.toString('hex'), encoded.value?.toString('hex')]).toEqual([key, value]);
  });

  it('is read back', () => {
    expect(decodeRecord(Buffer.from(key, 'hex'), Buffer.from(value, 'hex'))).toEqual(record);
  });
});

it('deletes a group in the order in which Kafka can read that back', () => {
  const tombstones = groupTombstones('g', ['m']).map(encodeRecord);
  expect(tombstones.map(({ key }) => key.toString('hex'))).toEqual([
    '001600016700016d',
    '001500016700016d',
    '0014000167',
    '001300016700016d',
    '0011000167',
    '0017000167',
  ]);
  expect(tombstones.every(({ value }) => value === null)).toBe(true);
});

it('reads when tasks came to a member, which is not said before Kafka 4.3, as nothing', () => {
  const value = '0000000000030000000201020230020000000000010101010100';
  const record = decodeRecord(Buffer.from('001600016700016d', 'hex'), Buffer.from(value, 'hex'));
  expect(record?.value).toMatchObject({ activeTasks: [{ partitions: [0], assignmentEpochs: [] }] });
});
