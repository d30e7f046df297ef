import { crc32c } from '@node-rs/crc32';
import { ByteWriter } from './wire.ts';

/** Where the bytes that the CRC covers begin: after base offset, length, leader epoch, magic and the CRC itself. */
const CRC_COVERS_FROM = 21;

function varint(writer: ByteWriter, value: number): void {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  while (rest > 0x7f) {
    writer.int8(((rest & 0x7f) | 0x80) - 0x100);
    rest >>>= 7;
  }
  writer.int8(rest);
}

function record(offsetDelta: number, value: Buffer): Buffer {
  const body = new ByteWriter().int8(0);
  varint(body, 0); // timestamp delta
  varint(body, offsetDelta);
  varint(body, -1); // no key
  varint(body, value.length);
  body.raw(value);
  varint(body, 0); // no headers
  const bytes = body.done();
  const framed = new ByteWriter();
  varint(framed, bytes.length);
  return framed.raw(bytes).done();
}

/** An uncompressed batch of format 2 (no producer id) with `values` as records without keys, stamped `timestampMs`. */
export function recordBatch(values: readonly Buffer[], timestampMs: number): Buffer {
  const records = new ByteWriter();
  values.forEach((value, index) => {
    records.raw(record(index, value));
  });
  const covered = new ByteWriter()
    .int16(0)
    .int32(values.length - 1)
    .int64(timestampMs)
    .int64(timestampMs)
    .int64(-1)
    .int16(-1)
    .int32(-1)
    .int32(values.length)
    .raw(records.done())
    .done();
  const batch = new ByteWriter()
    .int64(0)
    .int32(covered.length + 9)
    .int32(-1)
    .int8(2)
    .int32(crc32c(covered) | 0)
    .raw(covered);
  return batch.done();
}

/** Whether the checksum in the header of a batch is that of its bytes. */
export function crcMatches(batch: Buffer): boolean {
  return batch.readUInt32BE(CRC_COVERS_FROM - 4) === crc32c(batch.subarray(CRC_COVERS_FROM));
}

/** Printable bytes like those of Kafka's ProducerPerformance (A to Z), repeatable from `seed`. */
export function payload(sizeBytes: number, seed: number): Buffer {
  const bytes = Buffer.allocUnsafe(sizeBytes);
  let state = (seed * 2654435761 + 1) >>> 0;
  for (let i = 0; i < sizeBytes; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = 65 + ((state >>> 16) % 26);
  }
  return bytes;
}

/** As many records of `recordSizeBytes` as a batch of `batchSizeBytes` holds (at least one). */
export function filledBatch(
  recordSizeBytes: number,
  batchSizeBytes: number,
  timestampMs: number,
): { batch: Buffer; records: number } {
  const values: Buffer[] = [];
  let sizeBytes = CRC_COVERS_FROM + 40;
  do {
    const value = payload(recordSizeBytes, values.length + 1);
    sizeBytes += record(values.length, value).length;
    if (values.length > 0 && sizeBytes > batchSizeBytes) break;
    values.push(value);
  } while (sizeBytes < batchSizeBytes);
  return { batch: recordBatch(values, timestampMs), records: values.length };
}
