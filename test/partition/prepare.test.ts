import { describe, expect, it } from 'vitest';
import { MalformedError } from '../../protocol/malformed.ts';
import * as batch from '../../protocol/records/batch.ts';
import { hasValidCrc, setCrc } from '../../protocol/records/check.ts';
import { encodeBatch } from '../../protocol/records/encode.ts';
import type { TopicConfig } from '../../src/config/topic-config.ts';
import { AppendError } from '../../src/partition/append-result.ts';
import { prepareForTopic } from '../../src/partition/prepare.ts';
import { brokerConfig } from '../config/samples.ts';
import { SeededRandom } from '../support/seeded-random.ts';

const NOW_MS = 1_700_000_000_000;
const { NONE, GZIP, SNAPPY, LZ4, ZSTD } = batch.CompressionType;

function batchOf(value: Buffer, compression: batch.CompressionTypeId): Buffer {
  return encodeBatch([{ value, timestamp: NOW_MS }], { compression });
}

function prepare(buf: Buffer, compressionType: TopicConfig['compressionType'], maxMessageBytes: number): Buffer {
  const config = { ...brokerConfig().topic(), compressionType, maxMessageBytes };
  return prepareForTopic(buf, { topic: 't', index: 0, config }, NOW_MS);
}

/** Bytes that no codec makes smaller. */
function noise(length: number): Buffer {
  const random = new SeededRandom(7);
  return Buffer.from(Array.from({ length }, () => random.int(256)));
}

function refusal(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('not refused');
}

describe('max.message.bytes of a batch that is written with another codec', () => {
  it.each([
    ['gzip', GZIP],
    ['snappy', SNAPPY],
    ['lz4', LZ4],
    ['zstd', ZSTD],
  ])('holds for what %s becomes without compression', (_name, codec) => {
    for (const valueBytes of [20_000, 500_000]) {
      const sent = batchOf(Buffer.alloc(valueBytes), codec);
      const error = refusal(() => prepare(sent, 'uncompressed', 10_000));
      expect(error).toBeInstanceOf(AppendError);
      expect(error).toMatchObject({ errorName: 'MESSAGE_TOO_LARGE', recordErrors: [], inRequest: false });
    }
  });

  it('lets through a batch of just that size', () => {
    const sent = batchOf(Buffer.alloc(9000), ZSTD);
    const { length } = batchOf(Buffer.alloc(9000), NONE);
    expect(prepare(sent, 'uncompressed', length)).toHaveLength(length);
    expect(refusal(() => prepare(sent, 'uncompressed', length - 1))).toMatchObject({ errorName: 'MESSAGE_TOO_LARGE' });
  });

  it('does not hold for what is decompressed on the way to another codec', () => {
    const sent = batchOf(Buffer.alloc(500_000), ZSTD);
    expect(prepare(sent, 'gzip', 10_000).length).toBeLessThan(10_000);
  });

  it('holds for what grows', () => {
    const sent = batchOf(noise(1025), NONE);
    expect(sent.length).toBeLessThanOrEqual(1100);
    expect(refusal(() => prepare(sent, 'gzip', 1100))).toMatchObject({ errorName: 'MESSAGE_TOO_LARGE' });
  });

  it('leaves alone what has the codec already', () => {
    const sent = batchOf(Buffer.alloc(500_000), ZSTD);
    expect(prepare(sent, 'zstd', sent.length)).toBe(sent);
  });

  it('is not what damaged content is refused for', () => {
    const sent = batchOf(Buffer.alloc(500_000), GZIP);
    sent.fill(0xff, batch.BATCH_HEADER_BYTES + 12, batch.BATCH_HEADER_BYTES + 40);
    expect(refusal(() => prepare(sent, 'uncompressed', 10_000))).toBeInstanceOf(MalformedError);
  });
});

describe('the highest timestamp in the header', () => {
  /** As a client may send it: the CRC is right, the time is not. */
  function claiming(maxTimestamp: number, compression: batch.CompressionTypeId = NONE): Buffer {
    const times = [NOW_MS - 7, NOW_MS - 1, NOW_MS - 30];
    const sent = encodeBatch(
      times.map((timestamp) => ({ timestamp })),
      { compression, producerId: 5, producerEpoch: 0, baseSequence: 9, transactional: true },
    );
    sent.writeBigInt64BE(BigInt(maxTimestamp), 35);
    setCrc(sent, 0);
    return sent;
  }

  it.each([NOW_MS - 30, NOW_MS + 3_000_000, -1])('is that of the records, where a client claims %i', (claimed) => {
    const kept = prepare(claiming(claimed), 'producer', 1_000_000);
    expect(kept).toEqual(claiming(NOW_MS - 1));
    expect(hasValidCrc(kept, 0)).toBe(true);
  });

  it('is not touched where it is right', () => {
    expect(prepare(claiming(NOW_MS - 1), 'producer', 1_000_000)).toEqual(claiming(NOW_MS - 1));
  });

  it('of a compressed batch is that of the records, where it would be out of range', () => {
    const kept = prepare(claiming(NOW_MS + 30 * 86_400_000, GZIP), 'producer', 1_000_000);
    expect(kept).toEqual(claiming(NOW_MS - 1, GZIP));
  });
});
