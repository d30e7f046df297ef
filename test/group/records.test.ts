/** The bytes are those of Apache Kafka 4.3.1. */
import { describe, expect, it } from 'vitest';
import { codec } from '../../protocol/compile.ts';
import { GroupMetadataValue } from '../../protocol/groups/group-metadata.ts';
import { OffsetCommitValue } from '../../protocol/groups/offset-commit.ts';
import { MalformedError } from '../../protocol/malformed.ts';
import { Writer } from '../../protocol/writer.ts';
import { classicTombstone } from '../../src/group/classic/records.ts';
import { offsetTombstone } from '../../src/group/offsets/records.ts';
import { decodeRecord, encodeRecord, type GroupRecord } from '../../src/group/records.ts';

const OFFSET = {
  offset: 258,
  leaderEpoch: 2,
  metadata: 'm',
  commitTimestampMs: 1_700_000_000_000,
  expireTimestampMs: -1,
  topicId: 'AAECAwQFBgcICQoLDA0ODw',
};
const MEMBER = {
  memberId: 'a',
  groupInstanceId: null,
  clientId: 'c',
  clientHost: '/h',
  rebalanceTimeout: 20_000,
  sessionTimeout: 10_000,
  subscription: Buffer.from('S'),
  assignment: Buffer.from('A'),
};
const GROUP = {
  protocolType: 'consumer',
  generation: 5,
  protocol: 'range',
  leader: 'a',
  currentStateTimestamp: 1_700_000_000_000,
  members: [MEMBER],
};
const OFFSET_KEY = '000100016700017400000003';

const samples: [what: string, record: GroupRecord, key: string, value: string | null][] = [
  [
    'an offset',
    { type: 'offset', groupId: 'g', topic: 't', partition: 3, value: OFFSET },
    OFFSET_KEY,
    '0004000000000000010200000002026d0000018bcfe56800010010000102030405060708090a0b0c0d0e0f',
  ],
  [
    'an offset with a retention of its own',
    {
      type: 'offset',
      groupId: 'g',
      topic: 't',
      partition: 3,
      value: {
        ...OFFSET,
        leaderEpoch: -1,
        expireTimestampMs: 1_700_000_000_001,
        topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
      },
    },
    OFFSET_KEY,
    '0001000000000000010200016d0000018bcfe568000000018bcfe56801',
  ],
  ['a deleted offset', offsetTombstone('g', 't', 3), OFFSET_KEY, null],
  [
    'a group',
    { type: 'classic', groupId: 'g', value: GROUP },
    '0002000167',
    '00030008636f6e73756d657200000005000572616e67650001610000018bcfe5680000000001000161ffff00016300022f6800004e20000027' +
      '1000000001530000000141',
  ],
  ['a deleted group', classicTombstone('g'), '0002000167', null],
];

describe.each(samples)('%s', (_what, record, key, value) => {
  it('has its bytes', () => {
    const encoded = encodeRecord(record);
    expect([encoded.key.toString('hex'), encoded.value?.toString('hex') ?? null]).toEqual([key, value]);
  });
  it('is read back', () => {
    expect(decodeRecord(Buffer.from(key, 'hex'), value === null ? null : Buffer.from(value, 'hex'))).toEqual(record);
  });
});

describe('records of older releases', () => {
  it.each([0, 1, 2, 3, 4])('are understood: offsets of version %i', (version) => {
    const w = new Writer();
    w.int16(version);
    codec(OffsetCommitValue, version).write(w, { offset: 7, metadata: 'm', commitTimestamp: 5 });
    const record = decodeRecord(Buffer.from(`0000${OFFSET_KEY.slice(4)}`, 'hex'), w.toBuffer());
    expect(record).toMatchObject({ groupId: 'g', value: { offset: 7, metadata: 'm', commitTimestampMs: 5 } });
  });

  it.each([0, 1, 2, 3, 4])('are understood: groups of version %i', (version) => {
    const w = new Writer();
    w.int16(version);
    codec(GroupMetadataValue, version).write(w, GROUP);
    const record = decodeRecord(Buffer.from('0002000167', 'hex'), w.toBuffer());
    const expected = version >= 1 ? MEMBER : { ...MEMBER, rebalanceTimeout: -1 };
    expect(record?.value).toMatchObject({ generation: 5, members: [expected] });
  });
});

it('leaves records of kinds that are not known to others', () => {
  expect(decodeRecord(Buffer.from('7f00000167', 'hex'), Buffer.from('000000000000', 'hex'))).toBeNull();
});

it.each([
  ['a version of the future', OFFSET_KEY, '0005'],
  ['a value that is cut off', OFFSET_KEY, '000400'],
  ['a key that is cut off', '0001000167', null],
  ['an empty key', '', null],
])('refuses %s', (_what, key, value) => {
  const read = () => decodeRecord(Buffer.from(key, 'hex'), value === null ? null : Buffer.from(value, 'hex'));
  expect(read).toThrow(MalformedError);
});
