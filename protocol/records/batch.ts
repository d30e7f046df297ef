/**
 * The fixed part of a record batch, format v2 (KIP-98), read and patched in place.
 *
 *   0  baseOffset int64           21  attributes int16        43  producerId int64
 *   8  batchLength int32          23  lastOffsetDelta int32   51  producerEpoch int16
 *   12 partitionLeaderEpoch int32 27  baseTimestamp int64     53  baseSequence int32
 *   16 magic int8                 35  maxTimestamp int64      57  recordCount int32
 *   17 crc uint32 (CRC-32C of all from `attributes` on)       61  records
 *
 * batchLength counts what follows it, so a batch takes batchLength + 12 bytes. Neither baseOffset nor
 * partitionLeaderEpoch is covered by the CRC: the broker sets both without touching the rest.
 * Functions take the buffer and the position of the batch's first byte; none of them checks bounds: check.ts does.
 */

export const LOG_OVERHEAD_BYTES = 12;
export const BATCH_HEADER_BYTES = 61;
export const MAGIC_V2 = 2;
export const NO_PRODUCER_ID = -1;
export const NO_TIMESTAMP = -1;

/** Attribute bits of a batch. */
export const COMPRESSION_MASK = 0x07;
export const TIMESTAMP_TYPE_BIT = 0x08;
export const TRANSACTIONAL_BIT = 0x10;
export const CONTROL_BIT = 0x20;
export const DELETE_HORIZON_BIT = 0x40;

/** The codec of the records: attribute bits 0 to 2. */
export const CompressionType = { NONE: 0, GZIP: 1, SNAPPY: 2, LZ4: 3, ZSTD: 4 } as const;
export type CompressionTypeId = (typeof CompressionType)[keyof typeof CompressionType];

/** 64 bits as a number: offsets, timestamps and producer ids stay below 2^53 inside (DESIGN decision 11). */
export function int64(buf: Buffer, at: number): number {
  return buf.readInt32BE(at) * 0x1_0000_0000 + buf.readUInt32BE(at + 4);
}

export function setInt64(buf: Buffer, at: number, value: number): void {
  buf.writeInt32BE(Math.floor(value / 0x1_0000_0000), at);
  buf.writeUInt32BE(value >>> 0, at + 4);
}

export const baseOffset = (buf: Buffer, at: number): number => int64(buf, at);
export const sizeBytes = (buf: Buffer, at: number): number => buf.readInt32BE(at + 8) + LOG_OVERHEAD_BYTES;
export const leaderEpoch = (buf: Buffer, at: number): number => buf.readInt32BE(at + 12);
export const magic = (buf: Buffer, at: number): number => buf.readInt8(at + 16);
export const crc = (buf: Buffer, at: number): number => buf.readUInt32BE(at + 17);
export const attributes = (buf: Buffer, at: number): number => buf.readInt16BE(at + 21);
export const lastOffsetDelta = (buf: Buffer, at: number): number => buf.readInt32BE(at + 23);
export const lastOffset = (buf: Buffer, at: number): number => int64(buf, at) + buf.readInt32BE(at + 23);
export const baseTimestamp = (buf: Buffer, at: number): number => int64(buf, at + 27);
export const maxTimestamp = (buf: Buffer, at: number): number => int64(buf, at + 35);
export const producerId = (buf: Buffer, at: number): number => int64(buf, at + 43);
export const producerEpoch = (buf: Buffer, at: number): number => buf.readInt16BE(at + 51);
export const baseSequence = (buf: Buffer, at: number): number => buf.readInt32BE(at + 53);
export const recordCount = (buf: Buffer, at: number): number => buf.readInt32BE(at + 57);

/** Kafka takes every producer id above -1 for one, so the sign decides. */
export const hasProducerId = (buf: Buffer, at: number): boolean => buf.readInt8(at + 43) >= 0;
export const hasZeroBaseOffset = (buf: Buffer, at: number): boolean =>
  buf.readInt32BE(at) === 0 && buf.readInt32BE(at + 4) === 0;

export function setBaseOffset(buf: Buffer, at: number, offset: number): void {
  setInt64(buf, at, offset);
}

export function setLeaderEpoch(buf: Buffer, at: number, epoch: number): void {
  buf.writeInt32BE(epoch, at + 12);
}
