/** From records to a whole v2 batch (layouts: batch.ts, record.ts). */
import type { Int64 } from '../int64.ts';
import * as batch from './batch.ts';
import { setCrc } from './check.ts';
import { compress } from './compression.ts';
import type { RecordHeader } from './record.ts';

/** A record to be written. Absent: null key or value, no headers, the batch's next offset, timestamp -1. */
export interface RecordInput {
  readonly key?: Uint8Array | null;
  readonly value?: Uint8Array | null;
  readonly headers?: readonly RecordHeader[];
  readonly timestamp?: number;
  readonly offset?: number;
}

/** The header fields of a batch to be written; what is left out is what a plain producer would write. */
export interface BatchOptions {
  readonly baseOffset?: number;
  readonly leaderEpoch?: number;
  readonly compression?: batch.CompressionTypeId;
  readonly producerId?: Int64;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly transactional?: boolean;
  readonly control?: boolean;
  /** The base timestamp is the time from which on a compaction may drop tombstones and markers (KIP-534). */
  readonly deleteHorizon?: boolean;
  /** All records get this time instead of their own (message.timestamp.type=LogAppendTime). */
  readonly logAppendTime?: number;
}

/** What the header has to say about records that are already encoded. */
export interface EncodedRecords {
  /** The records as in record.ts, not compressed. */
  readonly bytes: Buffer;
  readonly count: number;
  readonly lastOffsetDelta: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
}

/** One batch of these records. Offsets have to rise; `records` must not be empty. */
export function encodeBatch(records: readonly RecordInput[], options: BatchOptions = {}): Buffer {
  if (records.length === 0) throw new RangeError('a batch without records');
  let expectedBytes = 0;
  for (const record of records) expectedBytes += expectedRecordBytes(record);
  const builder = new BatchBuilder(options.baseOffset ?? 0, { expectedBytes });
  for (const record of records) builder.append(record);
  return builder.build(options);
}

/** At least what the record will take, unless it has headers with long keys. */
function expectedRecordBytes(record: RecordInput): number {
  const headers = record.headers === undefined ? 0 : 40 * record.headers.length;
  return MAX_RECORD_OVERHEAD_BYTES + (record.key?.length ?? 0) + (record.value?.length ?? 0) + headers;
}

/** Lengths, deltas and attributes at their longest in all but absurd records. */
const MAX_RECORD_OVERHEAD_BYTES = 30;

/** One batch around records that are encoded already: compresses them, writes the header and its CRC-32C. */
export function encodeBatchOf(records: EncodedRecords, options: BatchOptions = {}): Buffer {
  const body = compress(options.compression ?? batch.CompressionType.NONE, records.bytes);
  const out = Buffer.allocUnsafe(batch.BATCH_HEADER_BYTES + body.length);
  body.copy(out, batch.BATCH_HEADER_BYTES);
  writeHeader(out, records, options);
  return out;
}

/** `out` is the whole batch, its records in place. */
function writeHeader(out: Buffer, records: Omit<EncodedRecords, 'bytes'>, options: BatchOptions): void {
  const type = options.compression ?? batch.CompressionType.NONE;
  batch.setBaseOffset(out, 0, options.baseOffset ?? 0);
  out.writeInt32BE(out.length - batch.LOG_OVERHEAD_BYTES, 8);
  batch.setLeaderEpoch(out, 0, options.leaderEpoch ?? -1);
  out[16] = batch.MAGIC_V2;
  out.writeInt16BE(attributesOf(type, options), 21);
  out.writeInt32BE(records.lastOffsetDelta, 23);
  batch.setInt64(out, 27, records.baseTimestamp);
  batch.setInt64(out, 35, options.logAppendTime ?? records.maxTimestamp);
  const producerId = options.producerId ?? batch.NO_PRODUCER_ID;
  if (typeof producerId === 'number') batch.setInt64(out, 43, producerId);
  else out.writeBigInt64BE(producerId, 43);
  out.writeInt16BE(options.producerEpoch ?? -1, 51);
  out.writeInt32BE(options.baseSequence ?? -1, 53);
  out.writeInt32BE(records.count, 57);
  setCrc(out, 0);
}

function attributesOf(type: batch.CompressionTypeId, options: BatchOptions): number {
  let bits: number = type;
  if (options.logAppendTime !== undefined) bits |= batch.TIMESTAMP_TYPE_BIT;
  if (options.transactional === true) bits |= batch.TRANSACTIONAL_BIT;
  if (options.control === true) bits |= batch.CONTROL_BIT;
  if (options.deleteHorizon === true) bits |= batch.DELETE_HORIZON_BIT;
  return bits;
}

/** Encodes records one by one; `sizeBytes` tells when a batch is full. */
export class BatchBuilder {
  private readonly baseOffset: number;
  /** Room for the header, then the records: an uncompressed batch is built where it stands. */
  private buf: Buffer;
  private at = batch.BATCH_HEADER_BYTES;
  private nextOffset: number;
  private count = 0;
  private lastOffsetDelta = -1;
  private baseTimestamp: number | null;
  private maxTimestamp = batch.NO_TIMESTAMP;

  /** Without a base timestamp, the first record's is it. `expectedBytes`: of all records, to allocate once. */
  constructor(baseOffset = 0, { baseTimestamp = null, expectedBytes = 1024 }: BuilderOptions = {}) {
    this.baseOffset = baseOffset;
    this.nextOffset = baseOffset;
    this.baseTimestamp = baseTimestamp;
    this.buf = Buffer.allocUnsafe(batch.BATCH_HEADER_BYTES + expectedBytes);
  }

  /** Records so far. */
  get recordCount(): number {
    return this.count;
  }

  /** Size of an uncompressed batch of the records so far. */
  get sizeBytes(): number {
    return this.at;
  }

  append(record: RecordInput): void {
    const offset = record.offset ?? this.nextOffset;
    if (offset < this.nextOffset) throw new RangeError(`offset ${offset} after ${this.nextOffset - 1}`);
    const timestamp = record.timestamp ?? batch.NO_TIMESTAMP;
    this.baseTimestamp ??= timestamp;
    if (timestamp > this.maxTimestamp) this.maxTimestamp = timestamp;
    this.lastOffsetDelta = offset - this.baseOffset;
    this.write(record, timestamp - this.baseTimestamp, this.lastOffsetDelta);
    this.nextOffset = offset + 1;
    this.count++;
  }

  /** The batch; the builder is not to be used afterwards. `options.baseOffset` is the builder's own. */
  build(options: BatchOptions = {}): Buffer {
    const header = {
      count: this.count,
      lastOffsetDelta: this.lastOffsetDelta,
      baseTimestamp: this.baseTimestamp ?? batch.NO_TIMESTAMP,
      maxTimestamp: this.maxTimestamp,
    };
    const whole = this.buf.subarray(0, this.at);
    const own = { ...options, baseOffset: this.baseOffset };
    if ((options.compression ?? batch.CompressionType.NONE) !== batch.CompressionType.NONE) {
      return encodeBatchOf({ ...header, bytes: whole.subarray(batch.BATCH_HEADER_BYTES) }, own);
    }
    writeHeader(whole, header, own);
    return whole;
  }

  private write(record: RecordInput, timestampDelta: number, offsetDelta: number): void {
    const key = record.key ?? null;
    const value = record.value ?? null;
    const headers = record.headers ?? NO_HEADERS;
    const size =
      1 +
      varlongBytes(timestampDelta) +
      varintBytes(offsetDelta) +
      fieldBytes(key) +
      fieldBytes(value) +
      headersBytes(headers);
    this.reserve(varintBytes(size) + size);
    this.varint(size);
    this.buf[this.at++] = 0;
    this.varlong(timestampDelta);
    this.varint(offsetDelta);
    this.field(key);
    this.field(value);
    this.varint(headers.length);
    for (const header of headers) {
      const keyBytes = Buffer.byteLength(header.key);
      this.varint(keyBytes);
      this.buf.utf8Write(header.key, this.at, keyBytes);
      this.at += keyBytes;
      this.field(header.value);
    }
  }

  private reserve(size: number): void {
    if (this.at + size <= this.buf.length) return;
    const bigger = Buffer.allocUnsafe(Math.max(this.at + size, 2 * this.buf.length));
    this.buf.copy(bigger, 0, 0, this.at);
    this.buf = bigger;
  }

  private field(v: Uint8Array | null): void {
    if (v === null) {
      this.buf[this.at++] = 1;
      return;
    }
    this.varint(v.length);
    this.buf.set(v, this.at);
    this.at += v.length;
  }

  private varint(v: number): void {
    let rest = ((v << 1) ^ (v >> 31)) >>> 0;
    while (rest > 0x7f) {
      this.buf[this.at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.buf[this.at++] = rest;
  }

  private varlong(v: number): void {
    if (v === (v | 0)) {
      this.varint(v);
      return;
    }
    let rest = zigzag(v);
    while (rest > 0x7f) {
      this.buf[this.at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.buf[this.at++] = rest;
  }
}

export interface BuilderOptions {
  readonly baseTimestamp?: number | null;
  readonly expectedBytes?: number;
}

const NO_HEADERS: readonly RecordHeader[] = [];

/** As a double: exact for the timestamps that we store, which stay below 2^52. */
const zigzag = (v: number): number => (v < 0 ? -2 * v - 1 : 2 * v);

function varintBytes(v: number): number {
  const rest = ((v << 1) ^ (v >> 31)) >>> 0;
  if (rest < 0x80) return 1;
  if (rest < 0x4000) return 2;
  if (rest < 0x20_0000) return 3;
  return rest < 0x1000_0000 ? 4 : 5;
}

function varlongBytes(v: number): number {
  let bytes = 1;
  for (let rest = zigzag(v); rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}

const fieldBytes = (v: Uint8Array | null): number => (v === null ? 1 : varintBytes(v.length) + v.length);

function headersBytes(headers: readonly RecordHeader[]): number {
  let size = varintBytes(headers.length);
  for (const header of headers) {
    const keyBytes = Buffer.byteLength(header.key);
    size += varintBytes(keyBytes) + keyBytes + fieldBytes(header.value);
  }
  return size;
}
