import { describe, expect, it } from 'vitest';
import { crcMatches, filledBatch, payload, recordBatch } from '../../scripts/bench/batch.ts';
import {
  ByteReader,
  ByteWriter,
  checkCreateTopics,
  checkProduce,
  createTopicsRequest,
  eachBatch,
  endOffsetsRequest,
  readFetch,
  readFetchAnswers,
  readMetadata,
} from '../../scripts/bench/wire.ts';

const batchesOf = (records: Buffer): { baseOffset: number; nextOffset: number; records: number }[] => {
  const found: { baseOffset: number; nextOffset: number; records: number }[] = [];
  eachBatch(records, ({ baseOffset, nextOffset, records }) => found.push({ baseOffset, nextOffset, records }));
  return found;
};

function fetchAnswer(errorCode: number, records: Buffer): Buffer {
  const writer = new ByteWriter().int32(0).int16(0).int32(0).int32(1).string('t').int32(1);
  writer.int32(3).int16(errorCode).int64(7).int64(7).int64(0).int32(1).int64(5).int64(6).int32(-1).bytes(records);
  return writer.done();
}

describe('prepared batches', () => {
  it('have the checksum of their bytes, and lose it with a single bit', () => {
    const batch = recordBatch([payload(100, 1), payload(100, 2)], 1_700_000_000_000);
    expect(crcMatches(batch)).toBe(true);
    batch[batch.length - 1] ^= 1;
    expect(crcMatches(batch)).toBe(false);
  });

  it('fill the size asked for without passing it', () => {
    const { batch, records } = filledBatch(100, 16_384, 0);
    expect(batch.length).toBeLessThanOrEqual(16_384);
    expect(batch.length).toBeGreaterThan(16_384 - 120);
    expect(batchesOf(batch)).toEqual([{ baseOffset: 0, nextOffset: records, records }]);
  });

  it('hold one record when even that is larger than the size asked for', () => {
    expect(filledBatch(1000, 100, 0).records).toBe(1);
  });

  it('are walked as far as they are whole', () => {
    const { batch } = filledBatch(100, 1000, 0);
    expect(batchesOf(Buffer.concat([batch, batch, batch.subarray(0, 200)]))).toHaveLength(2);
  });
});

describe('requests', () => {
  it('of CreateTopics carry partitions and configuration for each topic', () => {
    const reader = new ByteReader(createTopicsRequest(7, ['t'], { partitions: 6, configs: { 'flush.messages': '1' } }));
    expect(reader.int32()).toBe(reader.buffer.length - 4);
    expect([reader.int16(), reader.int16(), reader.int32(), reader.string()]).toEqual([19, 4, 7, 'odradek-bench']);
    expect([reader.int32(), reader.string(), reader.int32(), reader.int16(), reader.int32()]).toEqual([
      1,
      't',
      6,
      1,
      0,
    ]);
    expect([reader.int32(), reader.string(), reader.string()]).toEqual([1, 'flush.messages', '1']);
  });

  it('of ListOffsets ask for the end of each partition', () => {
    const reader = new ByteReader(endOffsetsRequest(7, 't', 2));
    expect(reader.int32()).toBe(reader.buffer.length - 4);
    expect([reader.int16(), reader.int16(), reader.int32(), reader.string()]).toEqual([2, 5, 7, 'odradek-bench']);
    reader.at += 5; // replica, isolation level
    expect([reader.int32(), reader.string()]).toEqual([1, 't']);
    const asked = reader.array(() => [reader.int32(), reader.int32(), reader.int64()]);
    expect(asked).toEqual([
      [0, -1, -1],
      [1, -1, -1],
    ]);
    expect(reader.at).toBe(reader.buffer.length);
  });
});

describe('answers', () => {
  it('of Fetch give partition, records and high watermark, past the aborted transactions', () => {
    const seen: unknown[] = [];
    readFetch(fetchAnswer(0, Buffer.from('abc')), (...fields) => seen.push(fields));
    expect(seen).toEqual([[3, Buffer.from('abc'), 7]]);
  });

  it('of Fetch with an error are handed out or thrown', () => {
    const codes: number[] = [];
    readFetchAnswers(fetchAnswer(6, Buffer.alloc(0)), (_partition, errorCode) => codes.push(errorCode));
    expect(codes).toEqual([6]);
    expect(() => readFetch(fetchAnswer(6, Buffer.alloc(0)), () => {})).toThrow('partition 3: error 6');
  });

  it('of Produce give the base offset or throw the error code', () => {
    const answer = (errorCode: number): Buffer =>
      new ByteWriter()
        .int32(1)
        .string('t')
        .int32(1)
        .int32(2)
        .int16(errorCode)
        .int64(41)
        .int64(-1)
        .int64(0)
        .int32(0)
        .done();
    expect(checkProduce(answer(0))).toBe(41);
    expect(() => checkProduce(answer(10))).toThrow('partition 2: error 10');
  });

  it('of CreateTopics may say that the topic is there', () => {
    const answer = (errorCode: number): Buffer =>
      new ByteWriter().int32(0).int32(1).string('t').int16(errorCode).string(null).done();
    expect(() => checkCreateTopics(answer(36))).not.toThrow();
    expect(() => checkCreateTopics(answer(41))).toThrow('error 41');
  });

  it('of Metadata give brokers, topics and leaders', () => {
    const writer = new ByteWriter().int32(1).int32(1).string('h').int32(9092).string(null).int32(1);
    writer
      .int32(1)
      .int16(0)
      .string('t')
      .int8(0)
      .int32(1)
      .int16(0)
      .int32(0)
      .int32(1)
      .int32(1)
      .int32(1)
      .int32(1)
      .int32(1);
    expect(readMetadata(writer.done())).toEqual({ brokers: 1, topics: [{ errorCode: 0, name: 't', leaders: [1] }] });
  });

  it('carry integers of 64 bits with their sign', () => {
    const reader = new ByteReader(
      new ByteWriter()
        .int64(-1)
        .int64(2 ** 40 + 5)
        .done(),
    );
    expect([reader.int64(), reader.int64()]).toEqual([-1, 2 ** 40 + 5]);
  });
});
