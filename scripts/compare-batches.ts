#!/usr/bin/env node
/**
 * Holds the record batches against Apache Kafka's own classes (test/protocol/records/KafkaBatches.java): Kafka reads the
 * records of our batches in every codec, and refuses the same produced bytes with the same error as we do, or stores the
 * same bytes.
 *
 *   node scripts/compare-batches.ts [--count N] [--seed N]      N batches (4000) from a seed (a fresh one, printed)
 *
 * Damage inside compressed content is counted apart: Kafka reads it as a stream, we at once, so which error is met first
 * differs, and Kafka does not look at the lengths of the records in it. Exits with 1 where there is another difference.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureJars, javaArgs } from '../compat-tests/oracle/jars.ts';
import type { CompressionTypeId } from '../protocol/records/batch.ts';
import * as batch from '../protocol/records/batch.ts';
import { checkProducedBatch, setCrc } from '../protocol/records/check.ts';
import { RecordChecker, setTimestamps } from '../protocol/records/check-records.ts';
import { readRecords } from '../protocol/records/decode.ts';
import { encodeBatch } from '../protocol/records/encode.ts';
import { randomFrom } from '../test/protocol/random-message.ts';

const { values: args } = parseArgs({
  options: { count: { type: 'string', default: '4000' }, seed: { type: 'string' } },
});
const seed = args.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(args.seed);
const random = randomFrom(seed);
const below = (n: number): number => Math.floor(random() * n);

/** The clock, the next offset and the leader epoch in KafkaBatches.java. */
const NOW = 1_700_000_000_000;
const NEXT_OFFSET = 500;
const LEADER_EPOCH = 9;
const HOUR_MS = 3_600_000;
const SHOWN_DIFFERENCES = 10;

interface Question {
  hex: string;
  version: number;
  compacted: boolean;
  logAppendTime: boolean;
}

interface Answer {
  error: string | null;
  records?: unknown;
  recordErrors?: { batchIndex: number }[];
  stored?: string;
}

function kafka(verb: string, questions: readonly object[]): Answer[] {
  ensureJars();
  const program = join(import.meta.dirname, '../test/protocol/records/KafkaBatches.java');
  const input = questions.map((question) => `${JSON.stringify(question)}\n`).join('');
  const run = spawnSync('java', [...javaArgs({ heap: '512m' }), program, verb], {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  if (run.status !== 0) throw new Error(`KafkaBatches ended with ${run.status}`);
  return run.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Answer);
}

let differences = 0;
function differ(what: string, ours: unknown, theirs: unknown): void {
  if (++differences > SHOWN_DIFFERENCES) return;
  console.log(
    `${what}\n  ours  ${JSON.stringify(ours)?.slice(0, 300)}\n  Kafka ${JSON.stringify(theirs)?.slice(0, 300)}`,
  );
}

const bytesOrNull = (): Buffer | null =>
  random() < 0.2 ? null : Buffer.from(Array.from({ length: below(30) }, () => 97 + below(4)));

function timestamp(): number {
  const kind = random();
  if (kind < 0.03) return batch.NO_TIMESTAMP;
  return kind < 0.05 ? NOW + 5_000_000 : NOW + below(6_000_000) - 5_000_000;
}

function randomBatch(count: number): Buffer {
  const records = Array.from({ length: count }, () => ({
    key: bytesOrNull(),
    value: bytesOrNull(),
    timestamp: timestamp(),
    headers: random() < 0.2 ? [{ key: 'hé', value: bytesOrNull() }] : [],
  }));
  return encodeBatch(records, {
    compression: below(5) as CompressionTypeId,
    producerId: random() < 0.5 ? batch.NO_PRODUCER_ID : 77,
    producerEpoch: 1,
    baseSequence: below(4) - 1,
    transactional: random() < 0.2,
    control: random() < 0.03,
    logAppendTime: random() < 0.05 ? NOW - 3 : undefined,
    baseOffset: random() < 0.02 ? 3 : 0,
  });
}

/** Most with damage, and most of that with a right CRC, to reach what is checked after it. */
function damaged(original: Buffer): Buffer {
  const kind = random();
  if (kind < 0.4) return original;
  if (kind < 0.45) return original.subarray(0, below(original.length));
  if (kind < 0.5) return Buffer.concat([original, randomBatch(1).subarray(0, below(80))]);
  if (kind < 0.6) {
    original.writeInt32BE(below(5) - 1, 57);
    original.writeInt32BE(below(5) - 2, 23);
  }
  for (let i = below(3); i >= 0; i--) {
    const header = random() < 0.4;
    const at = header ? 8 + below(53) : 61 + below(original.length - 61);
    original[at] = random() < 0.5 ? below(256) : original[at] ^ (1 << below(8));
  }
  if (batch.sizeBytes(original, 0) === original.length && random() < 0.9) setCrc(original, 0);
  return original;
}

function printable(bytes: Buffer): unknown {
  const hex = (v: Buffer | null): string | null => v?.toString('hex') ?? null;
  return readRecords(bytes).map(({ offset, timestamp, key, value, headers }) => {
    return { offset, timestamp, key: hex(key), value: hex(value), headers: headers.map((h) => [h.key, hex(h.value)]) };
  });
}

function compareReading(count: number): void {
  const batches = Array.from({ length: count }, () => randomBatch(1 + below(40)));
  const answers = kafka(
    'read',
    batches.map((bytes) => ({ hex: bytes.toString('hex') })),
  );
  for (const [i, bytes] of batches.entries()) {
    const ours = printable(bytes);
    if (JSON.stringify(ours) !== JSON.stringify(answers[i].records)) differ('reading', ours, answers[i]);
  }
}

const checker = new RecordChecker();

/** What we answer to the produced bytes, in Kafka's form. */
function validate({ hex, version, compacted, logAppendTime }: Question): Answer {
  const bytes = Buffer.from(hex, 'hex');
  const rules = {
    topic: 't',
    index: 0,
    compacted,
    logAppendTime,
    timestampBeforeMaxMs: 2 ** 63,
    timestampAfterMaxMs: HOUR_MS,
  };
  const header = checkProducedBatch(bytes, version);
  if (header !== null) return { error: header.error };
  const problem = checker.check(bytes, 0, rules, NOW);
  if (problem !== null) return { error: problem.error, recordErrors: [...problem.recordErrors] };
  const stored = bytes.subarray(0, batch.sizeBytes(bytes, 0));
  setTimestamps(stored, 0, logAppendTime, checker.maxTimestamp);
  batch.setLeaderEpoch(stored, 0, LEADER_EPOCH);
  batch.setBaseOffset(stored, 0, NEXT_OFFSET);
  return { error: null, stored: stored.toString('hex') };
}

const indexes = (answer: Answer): unknown => (answer.recordErrors ?? []).map((e) => e.batchIndex);

function compareValidation(count: number): number {
  const questions = Array.from(
    { length: count },
    (): Question => ({
      hex: damaged(randomBatch(1 + below(8))).toString('hex'),
      version: random() < 0.2 ? 3 + below(4) : 9,
      compacted: random() < 0.3,
      logAppendTime: random() < 0.2,
    }),
  );
  const answers = kafka('validate', questions);
  let withinCompressed = 0;
  for (const [i, question] of questions.entries()) {
    const ours = validate(question);
    const theirs = answers[i];
    const same =
      ours.error === theirs.error &&
      ours.stored === theirs.stored &&
      JSON.stringify(indexes(ours)) === JSON.stringify(indexes(theirs));
    if (same) continue;
    const attributes = Number.parseInt(question.hex.slice(44, 46), 16);
    if ((attributes & batch.COMPRESSION_MASK) !== 0) withinCompressed++;
    else differ(`validating ${question.hex}`, ours, theirs);
  }
  return withinCompressed;
}

const count = Number(args.count);
compareReading(Math.ceil(count / 10));
const withinCompressed = compareValidation(count);
console.log(
  `seed ${seed}: ${Math.ceil(count / 10)} batches read, ${count} validated: ${differences} differences ` +
    `(and ${withinCompressed} in damaged compressed content)`,
);
process.exitCode = differences === 0 ? 0 : 1;
