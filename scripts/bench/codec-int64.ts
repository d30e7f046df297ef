#!/usr/bin/env node
/**
 * Ways to hold int64 in JavaScript, measured: read from a buffer, one added, written back (what happens to an offset).
 * The figures stand in docs/decisions/0001-int64.md.
 *
 *   node scripts/bench/codec-int64.ts
 */
import { type Int64, toNumber } from '../../protocol/int64.ts';
import { Reader } from '../../protocol/reader.ts';
import { Writer } from '../../protocol/writer.ts';
import { summary } from './statistics.ts';

const COUNT = 1000;
const ROUNDS = 15;
const RUNS = 300;

/** Two halves in an object, as libraries for old engines do it. */
interface Halves {
  high: number;
  low: number;
}

const readHalf = (buf: Buffer, at: number): number =>
  (buf[at] << 24) | (buf[at + 1] << 16) | (buf[at + 2] << 8) | buf[at + 3];

function writeHalf(buf: Buffer, at: number, v: number): void {
  buf[at] = v >>> 24;
  buf[at + 1] = v >>> 16;
  buf[at + 2] = v >>> 8;
  buf[at + 3] = v;
}

interface Way {
  readonly name: string;
  readonly exact: string;
  run(source: Buffer, target: Buffer): unknown;
}

const ways: readonly Way[] = [
  {
    name: 'number, bigint where a double is not exact (ours)',
    exact: 'yes',
    run: (source, target) => {
      const reader = new Reader(source);
      const writer = new Writer(8 * COUNT);
      const at = writer.make(8 * COUNT);
      let last: Int64 = 0;
      for (let i = 0; i < COUNT; i++) {
        last = reader.int64();
        writer.int64At(at + 8 * i, toNumber(last) + 1);
      }
      target[0] = writer.buf[0];
      writer.finish();
      return last;
    },
  },
  {
    name: 'number always',
    exact: 'to 2^53',
    run: (source, target) => {
      let last = 0;
      for (let i = 0; i < 8 * COUNT; i += 8) {
        last = readHalf(source, i) * 0x1_0000_0000 + (readHalf(source, i + 4) >>> 0);
        writeHalf(target, i, Math.floor((last + 1) / 0x1_0000_0000));
        writeHalf(target, i + 4, (last + 1) | 0);
      }
      return last;
    },
  },
  {
    name: 'bigint always',
    exact: 'yes',
    run: (source, target) => {
      let last = 0n;
      for (let i = 0; i < 8 * COUNT; i += 8) {
        last = source.readBigInt64BE(i);
        target.writeBigInt64BE(last + 1n, i);
      }
      return last;
    },
  },
  {
    name: 'object of two halves',
    exact: 'yes',
    run: (source, target) => {
      let last: Halves = { high: 0, low: 0 };
      for (let i = 0; i < 8 * COUNT; i += 8) {
        last = { high: readHalf(source, i), low: readHalf(source, i + 4) };
        const next = { high: last.low === -1 ? (last.high + 1) | 0 : last.high, low: (last.low + 1) | 0 };
        writeHalf(target, i, next.high);
        writeHalf(target, i + 4, next.low);
      }
      return last;
    },
  },
];

/** Offsets as they are, and values of all 64 bits. */
const inputs: Record<string, Buffer> = { offsets: Buffer.alloc(8 * COUNT), 'all 64 bits': Buffer.alloc(8 * COUNT) };
for (let i = 0; i < COUNT; i++) {
  inputs.offsets.writeBigInt64BE(BigInt(i * 12_345_678), 8 * i);
  inputs['all 64 bits'].writeBigInt64BE(BigInt.asIntN(64, BigInt(i) * 0x1234_5678_9abc_def1n), 8 * i);
}

let sink: unknown;
const target = Buffer.alloc(8 * COUNT);

function nanoseconds(way: Way, source: Buffer): number {
  const begin = process.hrtime.bigint();
  for (let run = 0; run < RUNS; run++) sink = way.run(source, target);
  return Number(process.hrtime.bigint() - begin) / (RUNS * COUNT);
}

console.log('nanoseconds to read, add one and write; median (least to greatest) of', ROUNDS, 'rounds');
const times = new Map<string, number[]>();
for (let round = -3; round < ROUNDS; round++) {
  for (const way of ways) {
    for (const [input, source] of Object.entries(inputs)) {
      const ns = nanoseconds(way, source);
      const key = `${way.name.padEnd(52)}${way.exact.padEnd(10)}${input}`;
      if (round >= 0) times.set(key, [...(times.get(key) ?? []), ns]);
    }
  }
}
for (const [key, all] of times) {
  const { median, min, max } = summary(all) ?? { median: 0, min: 0, max: 0 };
  console.log(`${key.padEnd(76)}${median.toFixed(1).padStart(7)} (${min.toFixed(1)} to ${max.toFixed(1)})`);
}
process.exitCode = sink === undefined ? 1 : 0;
