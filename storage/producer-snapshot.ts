/**
 * NNN.snapshot: the producer state of a log just before offset NNN.
 *
 *   0  version int16 (1)     each entry, 46 bytes:
 *   2  crc uint32            0  producerId int64      22 offsetDelta int32
 *   6  count int32           8  epoch int16           26 timestamp int64
 *   10 entries               10 lastSequence int32    34 coordinatorEpoch int32
 *                            14 lastOffset int64      38 currentTxnFirstOffset int64 (-1: none)
 *
 * The CRC-32C covers all from `count` on. Only the last batch of a producer is kept.
 */

import { crc32c } from '@node-rs/crc32';
import { int64, setInt64 } from '../protocol/records/batch.ts';
import type { Disk } from './disk.ts';
import { offsetFileName, offsetFromName, SNAPSHOT_SUFFIX } from './names.ts';
import { NO_SEQUENCE, ProducerEntry } from './producer-entry.ts';

const VERSION = 1;
const HEADER_BYTES = 10;
const CRC_COVERS_FROM = 6;
const ENTRY_BYTES = 46;

export function encodeSnapshot(entries: Iterable<ProducerEntry>, count: number): Buffer {
  const buf = Buffer.alloc(HEADER_BYTES + count * ENTRY_BYTES);
  buf.writeInt16BE(VERSION, 0);
  buf.writeInt32BE(count, 6);
  let at = HEADER_BYTES;
  for (const entry of entries) {
    writeEntry(buf, at, entry);
    at += ENTRY_BYTES;
  }
  buf.writeUInt32BE(crc32c(buf.subarray(CRC_COVERS_FROM)), 2);
  return buf;
}

function writeEntry(buf: Buffer, at: number, entry: ProducerEntry): void {
  const last = entry.batches.at(-1);
  setInt64(buf, at, entry.producerId);
  buf.writeInt16BE(entry.epoch, at + 8);
  buf.writeInt32BE(last?.lastSequence ?? NO_SEQUENCE, at + 10);
  setInt64(buf, at + 14, last?.lastOffset ?? -1);
  buf.writeInt32BE(last?.offsetDelta ?? 0, at + 22);
  setInt64(buf, at + 26, entry.lastTimestampMs);
  buf.writeInt32BE(entry.coordinatorEpoch, at + 34);
  setInt64(buf, at + 38, entry.transactionFirstOffset);
}

/** Null when the bytes are not a whole, intact snapshot of a known version. */
export function decodeSnapshot(buf: Buffer): ProducerEntry[] | null {
  if (buf.length < HEADER_BYTES || buf.readInt16BE(0) !== VERSION) return null;
  const count = buf.readInt32BE(6);
  if (count < 0 || buf.length !== HEADER_BYTES + count * ENTRY_BYTES) return null;
  if (crc32c(buf.subarray(CRC_COVERS_FROM)) !== buf.readUInt32BE(2)) return null;
  const entries: ProducerEntry[] = [];
  for (let at = HEADER_BYTES; at < buf.length; at += ENTRY_BYTES) entries.push(readEntry(buf, at));
  return entries;
}

function readEntry(buf: Buffer, at: number): ProducerEntry {
  const entry = new ProducerEntry(int64(buf, at));
  entry.epoch = buf.readInt16BE(at + 8);
  const lastOffset = int64(buf, at + 14);
  const timestampMs = int64(buf, at + 26);
  if (lastOffset >= 0) entry.addBatch(buf.readInt32BE(at + 10), lastOffset, buf.readInt32BE(at + 22), timestampMs);
  entry.lastTimestampMs = timestampMs;
  entry.coordinatorEpoch = buf.readInt32BE(at + 34);
  entry.transactionFirstOffset = Math.max(-1, int64(buf, at + 38));
  return entry;
}

/** A file whose bytes may not be on disk for good. */
export interface UnsyncedSnapshot {
  readonly offset: number;
  readonly path: string;
}

/** The snapshot files of one log. */
export class ProducerSnapshots {
  readonly #disk: Disk;
  readonly #dir: string;
  /** Rising. */
  #offsets: number[];
  readonly #unsynced = new Set<UnsyncedSnapshot>();

  constructor(disk: Disk, dir: string, names: readonly string[]) {
    this.#disk = disk;
    this.#dir = dir;
    this.#offsets = [];
    for (const name of names) {
      const offset = offsetFromName(name, SNAPSHOT_SUFFIX);
      if (offset !== null) this.#offsets.push(offset);
    }
  }

  get offsets(): readonly number[] {
    return this.#offsets;
  }

  has(offset: number): boolean {
    return this.#offsets.includes(offset);
  }

  write(offset: number, entries: ReadonlyMap<number, ProducerEntry>, durable: boolean): void {
    this.#disk.writeFile(this.path(offset), encodeSnapshot(entries.values(), entries.size), { durable });
    this.#forgetUnsynced(offset);
    if (!durable) this.#noteUnsynced(offset);
    if (this.has(offset)) return;
    this.#offsets.push(offset);
    this.#offsets.sort((a, b) => a - b);
  }

  /** The newest intact one at or below `offset`; a damaged one is removed. */
  readNewest(offset: number): { offset: number; entries: ProducerEntry[] } | null {
    for (;;) {
      const newest = this.#offsets.findLast((candidate) => candidate <= offset);
      if (newest === undefined) return null;
      const bytes = this.#disk.readFile(this.path(newest));
      const entries = bytes === null ? null : decodeSnapshot(bytes);
      if (entries !== null) return { offset: newest, entries };
      this.remove(newest);
    }
  }

  remove(offset: number): void {
    if (!this.has(offset)) return;
    this.#disk.remove(this.path(offset));
    this.#forgetUnsynced(offset);
    this.#offsets = this.#offsets.filter((other) => other !== offset);
  }

  removeAbove(offset: number): void {
    for (const other of this.#offsets.filter((candidate) => candidate > offset)) this.remove(other);
  }

  removeBelow(offset: number): void {
    for (const other of this.#offsets.filter((candidate) => candidate < offset)) this.remove(other);
  }

  removeAll(): void {
    for (const offset of this.#offsets) this.#disk.remove(this.path(offset));
    this.#unsynced.clear();
    this.#offsets = [];
  }

  /** Keeps those that a segment begins with, and the newest of all. */
  removeStray(segmentBaseOffsets: readonly number[]): void {
    const newest = this.#offsets.at(-1);
    for (const offset of this.#offsets) {
      if (offset !== newest && !segmentBaseOffsets.includes(offset)) this.remove(offset);
    }
  }

  /** Those at or below `upTo`, to be synced and then given to `synced`. */
  unsynced(upTo: number): UnsyncedSnapshot[] {
    return [...this.#unsynced].filter(({ offset }) => offset <= upTo);
  }

  /** The bytes of `snapshot` are on disk for good; one that was written in its place meanwhile is another one. */
  synced(snapshot: UnsyncedSnapshot): void {
    this.#unsynced.delete(snapshot);
  }

  /** Those above `offset` are from a process that may not have come to sync them. */
  distrustAbove(offset: number): void {
    for (const other of this.#offsets.filter((candidate) => candidate > offset)) {
      this.#forgetUnsynced(other);
      this.#noteUnsynced(other);
    }
  }

  #noteUnsynced(offset: number): void {
    this.#unsynced.add({ offset, path: this.path(offset) });
  }

  #forgetUnsynced(offset: number): void {
    for (const snapshot of this.#unsynced) if (snapshot.offset === offset) this.#unsynced.delete(snapshot);
  }

  path(offset: number): string {
    return `${this.#dir}/${offsetFileName(offset, SNAPSHOT_SUFFIX)}`;
  }
}
