/**
 * `odradek dump FILE...`: what Kafka's files hold, as JSON, a line each. The first line of a file says what it is:
 *
 *   .log, .checkpoint       the batches; with --records also their records, those of Kafka's own topics decoded
 *   .index                  offset and position in the log
 *   .timeindex              timestamp and offset
 *   .txnindex               transactions that were aborted
 *   .snapshot               producers
 *   *-checkpoint            the entries of a checkpoint in text
 *
 * What cannot be read is told in a line with an "error".
 */
import { readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { crc32c } from '@node-rs/crc32';
import { type JsonObject, stringifyJson } from '../../../protocol/json.ts';
import { METADATA_TOPIC } from '../../../protocol/metadata-topic.ts';
import {
  CLEANED_SUFFIX,
  DELETED_SUFFIX,
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  offsetFromName,
  parsePartitionDirName,
  SNAPSHOT_SUFFIX,
  SWAP_SUFFIX,
  TIME_INDEX_SUFFIX,
  TRANSACTION_INDEX_SUFFIX,
} from '../../../storage/names.ts';
import { LineOutput } from '../line-output.ts';
import {
  type Layout,
  offsetIndexEntry,
  snapshotEntry,
  snapshotHeader,
  timeIndexEntry,
  transactionIndexEntry,
} from './layouts.ts';
import { logLines } from './log-file.ts';
import { payloadReaderOf } from './payloads.ts';

export interface DumpOptions {
  readonly files: readonly string[];
  /** Whether the records of the batches are told, too. */
  readonly records: boolean;
}

/** Prints the files one after the other; 1 where something in them could not be read, else 0. */
export async function dumpCommand(options: DumpOptions, output: Writable = process.stdout): Promise<number> {
  const lines = new LineOutput(output);
  let code = 0;
  for (const file of options.files) {
    for (const line of fileLines(file, options.records)) {
      if (lines.isClosed()) return code;
      if ('error' in line) code = 1;
      await lines.write(stringifyJson(line));
    }
  }
  return code;
}

type Lines = Generator<JsonObject>;

/** What is known of a file by its name. */
interface Source {
  readonly path: string;
  /** The topic in whose folder it lies. */
  readonly topic: string | null;
  /** The offset in its name; 0 where there is none. */
  readonly baseOffset: bigint;
}

/** Behind the suffix of a file that is on its way out or in. */
const TRANSIENT = [DELETED_SUFFIX, CLEANED_SUFFIX, SWAP_SUFFIX];

function* fileLines(path: string, withRecords: boolean): Lines {
  let name = basename(path);
  for (const suffix of TRANSIENT) if (name.endsWith(suffix)) name = name.slice(0, -suffix.length);
  const suffix = /[.-][a-z]+$/.exec(name)?.[0] ?? '';
  const read = KINDS.get(suffix);
  if (read === undefined) {
    yield { file: path, error: `not a file of a kind that can be shown: ${[...KINDS.keys()].join(' ')}` };
    return;
  }
  const topic = parsePartitionDirName(basename(dirname(resolve(path))))?.topic ?? null;
  try {
    yield* read({ path, topic, baseOffset: BigInt(offsetFromName(name, suffix) ?? 0) }, withRecords);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    yield { file: path, error: error.message };
  }
}

const isSystemError = (error: unknown): error is Error => error instanceof Error && 'syscall' in error;

const KINDS: ReadonlyMap<string, (source: Source, withRecords: boolean) => Lines> = new Map([
  [LOG_SUFFIX, batches],
  ['.checkpoint', (source, withRecords) => batches({ ...source, topic: METADATA_TOPIC }, withRecords)],
  [OFFSET_INDEX_SUFFIX, offsetIndex],
  [TIME_INDEX_SUFFIX, timeIndex],
  [TRANSACTION_INDEX_SUFFIX, transactionIndex],
  [SNAPSHOT_SUFFIX, producerSnapshot],
  ['-checkpoint', checkpoint],
]);

function* batches({ path, topic }: Source, withRecords: boolean): Lines {
  yield { file: path, kind: 'batches', topic };
  yield* logLines(path, withRecords ? payloadReaderOf(topic) : null);
}

function* offsetIndex({ path, baseOffset }: Source): Lines {
  yield { file: path, kind: 'offset index' };
  for (const { relativeOffset, position } of written(entriesIn(readFileSync(path), offsetIndexEntry))) {
    yield { offset: baseOffset + BigInt(relativeOffset), position };
  }
}

function* timeIndex({ path, baseOffset }: Source): Lines {
  yield { file: path, kind: 'time index' };
  for (const { timestamp, relativeOffset } of written(entriesIn(readFileSync(path), timeIndexEntry))) {
    yield { timestamp, offset: baseOffset + BigInt(relativeOffset) };
  }
}

function* transactionIndex({ path }: Source): Lines {
  yield { file: path, kind: 'transaction index' };
  for (const entry of entriesIn(readFileSync(path), transactionIndexEntry)) yield { ...entry };
}

function* entriesIn<T extends object>(content: Buffer, layout: Layout<T>): Generator<T> {
  const { sizeBytes } = layout;
  for (let at = 0; at + sizeBytes <= content.length; at += sizeBytes) {
    yield layout.read(content.subarray(at, at + sizeBytes));
  }
}

/** Kafka makes the indexes of the segment that it writes as large as they may become: behind the last entry there are zeros. */
function* written<T extends object>(entries: Iterable<T>): Generator<T> {
  for (const entry of entries) {
    if (Object.values(entry).every((value) => Number(value) === 0)) return;
    yield entry;
  }
}

/** What the CRC of a snapshot covers begins behind it. */
const CRC_COVERS_FROM = 6;

function* producerSnapshot({ path }: Source): Lines {
  const content = readFileSync(path);
  const line: JsonObject = { file: path, kind: 'producers' };
  if (content.length < snapshotHeader.sizeBytes) {
    yield { ...line, error: `${content.length} bytes, too few for a snapshot` };
    return;
  }
  const header = snapshotHeader.read(content);
  const isValid = crc32c(content.subarray(CRC_COVERS_FROM)) === header.crc;
  yield { ...line, ...header, isValid, ...(isValid ? {} : { error: 'the CRC is wrong' }) };
  for (const entry of entriesIn(content.subarray(snapshotHeader.sizeBytes), snapshotEntry)) yield { ...entry };
}

/** `topic partition offset`, or `epoch startOffset` in a leader-epoch-checkpoint. */
const CHECKPOINT_ENTRY = /^(\S+) (\d+)(?: (\d+))?$/;

/** Version, count, then an entry a line. */
function* checkpoint({ path }: Source): Lines {
  const [version, count, ...entries] = readFileSync(path, 'utf8').split('\n');
  yield { file: path, kind: 'checkpoint', version: Number(version), count: Number(count ?? 0) };
  for (const entry of entries) {
    if (entry === '') continue;
    const [, first, second, third] = CHECKPOINT_ENTRY.exec(entry) ?? [];
    if (first === undefined) yield { error: `not an entry: ${entry}` };
    else if (third === undefined) yield { epoch: Number(first), startOffset: BigInt(second) };
    else yield { topic: first, partition: Number(second), offset: BigInt(third) };
  }
}
