/** The bytes of one file on a FaultyDisk: what the page cache shows, what the platter holds, and which sectors differ. */
import type { SeededRandom } from '../support/seeded-random.ts';

export const SECTOR_BYTES = 512;

/** Sectors that a sync under way is about to make durable. */
interface SyncUnderWay {
  readonly sectors: Set<number>;
  readonly sizeBytes: number;
}

export class FaultyFile {
  /** The page cache: what every reader sees until the power goes. */
  #cached = Buffer.alloc(0);
  #durable = Buffer.alloc(0);
  #dirty = new Set<number>();
  #underWay = new Set<SyncUnderWay>();

  get sizeBytes(): number {
    return this.#cached.length;
  }

  read(target: Uint8Array, position: number): number {
    const part = this.#cached.subarray(position, position + target.length);
    target.set(part);
    return part.length;
  }

  content(): Buffer {
    return Buffer.from(this.#cached);
  }

  write(data: Uint8Array, position: number): void {
    const before = this.#cached.length;
    if (position + data.length > before) this.#resize(position + data.length);
    this.#cached.set(data, position);
    this.#touch(Math.min(position, before), position + data.length);
  }

  truncate(sizeBytes: number): void {
    const before = this.#cached.length;
    this.#resize(sizeBytes);
    this.#touch(Math.min(before, sizeBytes), Math.max(before, sizeBytes));
  }

  #resize(sizeBytes: number): void {
    const resized = Buffer.alloc(sizeBytes);
    this.#cached.copy(resized);
    this.#cached = resized;
  }

  #touch(from: number, to: number): void {
    for (let sector = Math.floor(from / SECTOR_BYTES); sector * SECTOR_BYTES < to; sector++) this.#dirty.add(sector);
  }

  /** The kernel writes some pages back whenever it likes, in any order. */
  writeBack(random: SeededRandom): void {
    for (const sector of [...this.#dirty]) {
      if (random.int(2) > 0) continue;
      this.#persist(sector);
      this.#dirty.delete(sector);
    }
  }

  /** Covers what other syncs have under way, too: it comes back when all of it is written. */
  beginSync(): SyncUnderWay {
    const sectors = this.#dirty;
    for (const other of this.#underWay) for (const sector of other.sectors) sectors.add(sector);
    const sync = { sectors, sizeBytes: this.#cached.length };
    this.#dirty = new Set();
    this.#underWay.add(sync);
    return sync;
  }

  /** All that was written before the sync began is durable; a size that came later may be. */
  endSync(sync: SyncUnderWay, random: SeededRandom): void {
    this.#underWay.delete(sync);
    const wasCut = this.#cached.length < sync.sizeBytes;
    if (wasCut || random.int(2) === 0) this.#resizeDurable(this.#cached.length);
    else this.#resizeDurable(Math.max(sync.sizeBytes, Math.min(this.#durable.length, this.#cached.length)));
    for (const sector of sync.sectors) this.#persist(sector);
  }

  /** As on Linux: the pages count as clean now, and nobody knows which of them were written. */
  failSync(sync: SyncUnderWay, random: SeededRandom): void {
    this.#underWay.delete(sync);
    for (const sector of sync.sectors) if (random.int(2) === 0) this.#persist(sector);
  }

  /** Grows the durable file where the sector lies behind its end; bytes that were never written are zeros. */
  #persist(sector: number): void {
    const from = sector * SECTOR_BYTES;
    const to = Math.min(from + SECTOR_BYTES, this.#cached.length);
    if (to <= from) return;
    if (to > this.#durable.length) this.#resizeDurable(to);
    this.#cached.copy(this.#durable, from, from, to);
  }

  #resizeDurable(sizeBytes: number): void {
    const resized = Buffer.alloc(sizeBytes);
    this.#durable.copy(resized);
    this.#durable = resized;
  }

  /** The power goes: each unsynced sector is there or not, and the size is the old one, the new one or one in between. */
  powerCut(random: SeededRandom): void {
    const unsynced = new Set(this.#dirty);
    for (const sync of this.#underWay) for (const sector of sync.sectors) unsynced.add(sector);
    const fate = random.int(4);
    for (const sector of [...unsynced].sort((a, b) => a - b)) {
      // All, none, a beginning (as an ordered file system does), or any of them.
      if (fate === 1 || (fate === 2 && random.int(4) === 0)) break;
      if (fate !== 3 || random.int(2) === 0) this.#persist(sector);
    }
    if (unsynced.size > 0) this.#settleSize(random);
    this.#cached = Buffer.from(this.#durable);
    this.#dirty = new Set();
    this.#underWay = new Set();
  }

  #settleSize(random: SeededRandom): void {
    const low = Math.min(this.#durable.length, this.#cached.length);
    const high = Math.max(this.#durable.length, this.#cached.length);
    const size = random.pick([this.#durable.length, this.#cached.length, low + random.int(high - low + 1)]);
    this.#resizeDurable(size);
  }

  /** On the platter and, as if read anew, in the page cache. */
  flipBit(bit: number): void {
    const at = bit >> 3;
    const mask = 1 << (bit & 7);
    for (const bytes of [this.#cached, this.#durable]) if (at < bytes.length) bytes[at] ^= mask;
  }
}
