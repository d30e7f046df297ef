import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allMessages } from '../../protocol/all-messages.ts';
import { decode, encode, versionsOf } from '../../protocol/compile.ts';
import { RequestHeader, ResponseHeader } from '../../protocol/header-schemas.ts';
import { fromJson, parseJson, stringifyJson, toJson } from '../../protocol/json.ts';
import { MalformedError } from '../../protocol/malformed.ts';
import { FetchRequest } from '../../protocol/messages/01-fetch.ts';
import { ListOffsetsRequest } from '../../protocol/messages/02-list-offsets.ts';
import { MetadataRequest } from '../../protocol/messages/03-metadata.ts';
import { JoinGroupRequest } from '../../protocol/messages/11-join-group.ts';
import { DescribeGroupsResponse } from '../../protocol/messages/15-describe-groups.ts';
import type { Message } from '../../protocol/schema.ts';
import { Fuzzer } from './fuzzing.ts';
import { kafkaBatches } from './kafka-batches.ts';
import { randomFrom, randomMessage } from './random-message.ts';

const messages: Message[] = [...allMessages.values(), RequestHeader, ResponseHeader];

function versions(message: Message): number[] {
  const [lowest, highest] = versionsOf(message);
  return Array.from({ length: highest - lowest + 1 }, (_, i) => lowest + i);
}

/** Runs a property in every version of a message. */
function inEveryVersion(message: Message, runs: number, property: (version: number, seed: number) => void): void {
  for (const version of versions(message)) {
    fc.assert(
      fc.property(fc.integer(), (seed) => property(version, seed)),
      { numRuns: runs },
    );
  }
}

function valueOrMalformed(message: Message, version: number, bytes: Buffer): void {
  try {
    decode(message, version, bytes);
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
  }
}

describe.each(messages.map((message) => [message.name, message] as const))('%s', (_name, message) => {
  test('what is written is read, as bytes and as JSON', () => {
    inEveryVersion(message, 5, (version, seed) => {
      const value = randomMessage(message, version, randomFrom(seed));
      const bytes = encode(message, version, value);
      const read = decode(message, version, bytes);
      expect(encode(message, version, read).equals(bytes)).toBe(true);
      const json = stringifyJson(toJson(message, version, value));
      expect(stringifyJson(toJson(message, version, read))).toBe(json);
      expect(encode(message, version, fromJson(message, version, parseJson(json))).equals(bytes)).toBe(true);
    });
  });

  test('bytes that are cut off, or too many, are malformed', () => {
    inEveryVersion(message, 2, (version, seed) => {
      const random = randomFrom(seed);
      const bytes = encode(message, version, randomMessage(message, version, random, 1));
      for (let i = 0; i < 10 && bytes.length > 0; i++) {
        const end = Math.floor(random() * bytes.length);
        expect(() => decode(message, version, bytes.subarray(0, end))).toThrow(MalformedError);
      }
      expect(() => decode(message, version, Buffer.concat([bytes, Buffer.alloc(1)]))).toThrow(MalformedError);
    });
  });

  test('any bytes give a value or a MalformedError', () => {
    for (const version of versions(message)) {
      const property = (bytes: Uint8Array) => valueOrMalformed(message, version, Buffer.from(bytes));
      fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), property), { numRuns: 20 });
      inEveryVersion(message, 5, (version, seed) => {
        const random = randomFrom(seed);
        const bytes = encode(message, version, randomMessage(message, version, random));
        for (let i = 0; i < 3; i++) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
        valueOrMalformed(message, version, bytes);
      });
    }
  });
});

test('mutated frames, batches and message sets give values or MalformedErrors', () => {
  const legacy = kafkaBatches.filter((b) => b.magic < 2).map((b) => b.bytes);
  const fuzzer = new Fuzzer(Math.floor(Math.random() * 2 ** 31), legacy);
  fuzzer.run(20_000);
  expect(fuzzer.result.failures).toEqual([]);
  expect(fuzzer.result.values).toBeGreaterThan(1000);
  expect(fuzzer.result.malformed).toBeGreaterThan(1000);
});

describe('what an array may take', () => {
  test.each([0x7fff_ffff, 0x1000_0000, 1_000_000])('%i elements need their bytes', (count) => {
    const bytes = Buffer.alloc(100);
    bytes.writeInt32BE(count, 0);
    expect(() => decode(MetadataRequest, 1, bytes)).toThrow(MalformedError);
  });

  test('elements of two bytes are refused where they would fill the heap', () => {
    const count = 5_000_000;
    const bytes = Buffer.alloc(4 + 2 * count);
    bytes.writeInt32BE(count, 0);
    expect(() => decode(MetadataRequest, 1, bytes)).toThrow(/too many/);
  });

  test('small structs with much in them are charged for it', () => {
    const protocol = Buffer.from('010100', 'hex');
    const protocols = Buffer.concat(Array.from({ length: 400_000 }, () => protocol));
    const bytes = encode(JoinGroupRequest, 6, { protocols: [] });
    const at = bytes.length - 2;
    const length = Buffer.from([0x81, 0xb5, 0x18]);
    const hostile = Buffer.concat([bytes.subarray(0, at), length, protocols, bytes.subarray(at + 1)]);
    expect(() => decode(JoinGroupRequest, 6, hostile)).toThrow(/too many/);
  });

  test('arrays within arrays are charged together', () => {
    const group = { members: Array.from({ length: 3000 }, () => ({})) };
    const one = encode(DescribeGroupsResponse, 5, { groups: [group] });
    expect(decode(DescribeGroupsResponse, 5, one).groups[0].members).toHaveLength(3000);
    const many = encode(DescribeGroupsResponse, 5, { groups: Array.from({ length: 100 }, () => group) });
    expect(() => decode(DescribeGroupsResponse, 5, many)).toThrow(/too many/);
  });

  test('what large clusters send is read', () => {
    const topics = Array.from({ length: 100_000 }, (_, i) => ({ name: `topic-${i}` }));
    expect(decode(MetadataRequest, 12, encode(MetadataRequest, 12, { topics })).topics).toHaveLength(100_000);
    const partitions = Array.from({ length: 1000 }, (_, partition) => ({ partition }));
    const fetch = { topics: Array.from({ length: 200 }, (_, i) => ({ topic: `t${i}`, partitions })) };
    expect(decode(FetchRequest, 12, encode(FetchRequest, 12, fetch)).topics).toHaveLength(200);
    const offsets = {
      topics: Array.from({ length: 200 }, (_, i) => ({
        name: `t${i}`,
        partitions: partitions.map((p) => ({ partitionIndex: p.partition, timestamp: -1 })),
      })),
    };
    expect(decode(ListOffsetsRequest, 1, encode(ListOffsetsRequest, 1, offsets)).topics).toHaveLength(200);
  });
});

describe('versions', () => {
  test('a version that a message does not have is a RangeError', () => {
    expect(() => encode(MetadataRequest, 99, {})).toThrow(RangeError);
    expect(() => decode(MetadataRequest, 99, Buffer.alloc(0))).toThrow(RangeError);
  });

  test('a field that the version cannot carry is refused unless it may be ignored', () => {
    expect(() => encode(MetadataRequest, 3, { allowAutoTopicCreation: false })).toThrow(RangeError);
    expect(() => toJson(MetadataRequest, 3, { allowAutoTopicCreation: false })).toThrow(RangeError);
    expect(encode(MetadataRequest, 3, { allowAutoTopicCreation: true, topics: [] }).toString('hex')).toBe('00000000');
    expect(encode(FetchRequest, 11, { clusterId: 'dropped', rackId: 'r' }).length).toBeGreaterThan(0);
  });

  test('null where none may be is malformed', () => {
    expect(() => decode(MetadataRequest, 0, Buffer.from('ffffffff', 'hex'))).toThrow(MalformedError);
    expect(decode(MetadataRequest, 1, Buffer.from('ffffffff', 'hex')).topics).toBeNull();
  });

  test('unknown tagged fields are passed over, a tag of the wrong size is malformed', () => {
    const known = decode(MetadataRequest, 12, Buffer.from('00010001' + '6303aabbcc', 'hex'));
    expect(known.topics).toBeNull();
    const untagged = '00'.repeat(25) + '010101';
    const right = decode(FetchRequest, 12, Buffer.from(`${untagged}0100020261`, 'hex'));
    expect(right.clusterId).toBe('a');
    expect(() => decode(FetchRequest, 12, Buffer.from(`${untagged}010003026100`, 'hex'))).toThrow(/tag 0 is not 3/);
  });
});
