#!/usr/bin/env node
/**
 * Reads mutated frames, record batches and message sets by the million (test/protocol/fuzzing.ts).
 *
 *   node scripts/fuzz.ts [--count N] [--seed N]      N inputs (1000000) from a seed (a fresh one, printed)
 *
 * Exits with 1 where reading ended in anything but a value or a MalformedError, took longer than a second, or memory grew.
 */
import { parseArgs } from 'node:util';
import { Fuzzer } from '../test/protocol/fuzzing.ts';
import { kafkaBatches } from '../test/protocol/kafka-batches.ts';

const { values: args } = parseArgs({
  options: { count: { type: 'string', default: '1000000' }, seed: { type: 'string' } },
});
const count = Number(args.count);
const seed = args.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(args.seed);
const STEPS = 20;
const SHOWN_FAILURES = 5;
const SLOW_MS = 1000;
const MOST_MEMORY_BYTES = 1 << 30;

const fuzzer = new Fuzzer(
  seed,
  kafkaBatches.filter((b) => b.magic < 2).map((b) => b.bytes),
);
const { result } = fuzzer;
const begin = performance.now();
let memoryBytes = 0;
for (let step = 1; step <= STEPS; step++) {
  fuzzer.run(Math.floor((count * step) / STEPS) - result.frames);
  memoryBytes = Math.max(memoryBytes, process.memoryUsage().rss);
}
for (const failure of result.failures.slice(0, SHOWN_FAILURES)) console.log(`${failure}\n`);
const seconds = (performance.now() - begin) / 1000;
console.log(
  `seed ${seed}: ${result.frames} inputs in ${seconds.toFixed(1)} s: ${result.values} values, ${result.malformed} malformed, ` +
    `${result.failures.length} failures; slowest ${result.slowestMs.toFixed(1)} ms (${result.slowest}), ` +
    `at most ${(memoryBytes / 2 ** 20).toFixed(0)} MiB resident`,
);
const good = result.failures.length === 0 && result.slowestMs < SLOW_MS && memoryBytes < MOST_MEMORY_BYTES;
process.exitCode = good ? 0 : 1;
