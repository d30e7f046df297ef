/**
 * The CRC-32C of many neighbouring batches with one call. A native call costs as much as summing a kilobyte, so for small batches calls would
 * be most of a recovery.
 *
 * A CRC is the state of a register that bytes are pushed through. Where a batch has the CRC in its header, the register is known at its end; and
 * there are 21 bytes (4 would do) that bring it from there to where a new CRC begins. Put in the place of the next batch's first 21
 * bytes, which no CRC covers, they make one long message of all batches:
 *
 *   batch 1, covered | 21 bytes | batch 2, covered | 21 bytes | batch 3, covered
 *
 * Its CRC is that of batch 3 if all of them are right. Where one is not, the register is another one from there on to the end, since what follows
 * maps different states to different ones; only a second wrong batch could hide that, with the odds of any CRC to miss something.
 */
import { crc32c } from '@node-rs/crc32';
import { crcIn, viewOf } from './batch-header.ts';

const CRC_COVERS_FROM = 21;
/** CRC-32C (Castagnoli), reflected. */
const POLYNOMIAL = 0x82f6_3b78;
const INITIAL = 0xffff_ffff;
const NO_BYTES = new DataView(new ArrayBuffer(0));

/** What the register has to hold for 21 zeros to bring it to its initial state. */
const BEFORE_ZEROS = (() => {
  let register = INITIAL;
  for (let bit = 0; bit < CRC_COVERS_FROM * 8; bit++) {
    register = register >>> 31 === 1 ? ((register ^ POLYNOMIAL) << 1) | 1 : register << 1;
  }
  return register;
})();

/** Batches that lie one behind the other in one buffer. */
export class CrcChain {
  #buf: Buffer | null = null;
  #view: DataView = NO_BYTES;
  #start = 0;
  #end = 0;
  #lastCrc = 0;

  /** Takes in the whole batch at `at`, `sizeBytes` long, right behind the one before. Overwrites what no CRC covers. */
  add(buf: Buffer, at: number, sizeBytes: number): void {
    const previousCrc = this.#lastCrc;
    const isFirst = this.#buf === null;
    if (isFirst) this.#begin(buf, at);
    this.#end = at + sizeBytes;
    this.#lastCrc = crcIn(this.#view, at);
    if (!isFirst) bridge(this.#view, at, ~previousCrc);
  }

  #begin(buf: Buffer, at: number): void {
    this.#buf = buf;
    this.#view = viewOf(buf);
    this.#start = at + CRC_COVERS_FROM;
  }

  /** Whether all batches since the last question have the CRC that their headers say. */
  isValid(): boolean {
    const buf = this.#buf;
    this.#buf = null;
    return buf === null || crc32c(buf.subarray(this.#start, this.#end)) === this.#lastCrc;
  }
}

/** The first four bytes are added to the register as they come: they make `register` what it has to be before the 17 zeros behind them. */
function bridge(view: DataView, at: number, register: number): void {
  view.setInt32(at, register ^ BEFORE_ZEROS, true);
  view.setFloat64(at + 4, 0);
  view.setFloat64(at + 12, 0);
  view.setUint8(at + 20, 0);
}
