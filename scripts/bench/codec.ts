#!/usr/bin/env node
/**
 * Our codecs against those inside kafkajs and @platformatic/kafka, on the same bytes: what encodes has to make the very
 * same bytes, what decodes is given the same ones. Both libraries are clients, so the comparison is of requests encoded and
 * responses decoded, records included, in the newest version that the library has; what only a broker does follows.
 *
 *   node scripts/bench/codec.ts [--rounds N] [--ms N]      N rounds (7) of N ms (60) for each, in turn; medians
 */
import { parseArgs } from 'node:util';
import { KAFKAJS_VERSIONS, kafkajsWork } from './codec-kafkajs.ts';
import { brokerWork, clientWork, type Work } from './codec-ours.ts';
import { PLATFORMATIC_VERSIONS, platformaticWork } from './codec-platformatic.ts';
import { SIZES, type Size } from './codec-samples.ts';
import { summary } from './statistics.ts';

const { values: args } = parseArgs({
  options: { rounds: { type: 'string', default: '7' }, ms: { type: 'string', default: '60' } },
});
const rounds = Number(args.rounds);
const roundMs = Number(args.ms);

/** Keeps the results alive, so that no work is optimised away. */
let sink: unknown;

/** Nanoseconds a run, over about `ms`. */
async function time(work: Work, ms: number): Promise<number> {
  const until = performance.now() + ms;
  const begin = process.hrtime.bigint();
  let runs = 0;
  do {
    for (let i = 0; i < 16; i++) {
      const result = work.run();
      sink = result instanceof Promise ? await result : result;
    }
    runs += 16;
  } while (performance.now() < until);
  return Number(process.hrtime.bigint() - begin) / runs;
}

/** Medians of several rounds in turn, after one to warm up. */
async function measure(works: readonly Work[]): Promise<number[]> {
  const times = works.map((): number[] => []);
  for (let round = -1; round < rounds; round++) {
    for (const [i, work] of works.entries()) {
      const ns = await time(work, round < 0 ? 2 * roundMs : roundMs);
      if (round >= 0) times[i].push(ns);
    }
  }
  return times.map((t) => summary(t)?.median ?? Number.NaN);
}

function requireSameBytes(name: string, ours: Work, theirs: Work): void {
  if (!ours.bytes.equals(theirs.bytes)) {
    throw new Error(`${name}: not the same bytes\n${ours.bytes.toString('hex')}\n${theirs.bytes.toString('hex')}`);
  }
}

const us = (ns: number): string => (ns / 1000).toFixed(ns < 10_000 ? 2 : 1).padStart(9);
let behind = 0;

async function compare(
  library: string,
  size: Size,
  ours: Record<string, Work>,
  theirs: readonly Work[],
): Promise<void> {
  console.log(`\n${library}, ${size}: microseconds a message`.padEnd(58) + 'bytes     ours    theirs   ratio');
  for (const [i, [name, work]] of Object.entries(ours).entries()) {
    requireSameBytes(`${library}: ${name}`, work, theirs[i]);
    const [a, b] = await measure([work, theirs[i]]);
    if (a >= b) behind++;
    console.log(
      `  ${name.padEnd(52)}${String(work.bytes.length).padStart(8)}${us(a)} ${us(b)} ${(b / a).toFixed(1).padStart(7)}${a >= b ? '  behind' : ''}`,
    );
  }
}

for (const size of SIZES) {
  const ours = clientWork(size, KAFKAJS_VERSIONS);
  const bytes = Object.values(ours).map((w) => w.bytes);
  await compare('kafkajs', size, ours, await kafkajsWork(size, bytes));
}
for (const size of SIZES) {
  const ours = clientWork(size, PLATFORMATIC_VERSIONS);
  const bytes = Object.values(ours).map((w) => w.bytes);
  await compare('@platformatic/kafka', size, ours, platformaticWork(size, bytes));
}
for (const size of SIZES) {
  console.log(`\nthe broker's side, ${size}: microseconds a message`.padEnd(58) + 'bytes     ours');
  for (const [name, work] of Object.entries(brokerWork(size, PLATFORMATIC_VERSIONS))) {
    const [ns] = await measure([work]);
    console.log(`  ${name.padEnd(52)}${String(work.bytes.length).padStart(8)}${us(ns)}`);
  }
}
console.log(behind === 0 ? '\nahead in every row' : `\nbehind in ${behind} rows`);
process.exitCode = sink === undefined || behind > 0 ? 1 : 0;
