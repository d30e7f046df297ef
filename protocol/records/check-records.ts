/**
 * Whether the records inside a client's batch may be appended: what Kafka's LogValidator checks of each record. The batch
 * has passed `checkProducedBatch` before. Costs some nanoseconds a record, and a decompression where the batch is compressed.
 */
import { MalformedError } from '../malformed.ts';
import * as batch from './batch.ts';
import { type BatchProblem, setCrc } from './check.ts';
import { MAX_DECOMPRESSED_BYTES } from './compression.ts';
import { hasLogAppendTime, recordCursor } from './decode.ts';
import { checkPlainRecords, NOT_PLAIN } from './plain-records.ts';
import type { RecordCursor } from './record.ts';

/** What the topic's configuration demands of records. */
export interface RecordRules {
  /** Where the records are to go; refusals name it. */
  readonly topic: string;
  readonly index: number;
  /** cleanup.policy contains compact: every record needs a key. */
  readonly compacted: boolean;
  /** message.timestamp.type=LogAppendTime. */
  readonly logAppendTime: boolean;
  /** message.timestamp.before.max.ms and message.timestamp.after.max.ms. */
  readonly timestampBeforeMaxMs: number;
  readonly timestampAfterMaxMs: number;
}

/** One refused record, as Produce responses name it from version 8 on. */
export interface RecordError {
  readonly batchIndex: number;
  readonly message: string;
}

export interface RecordsProblem extends BatchProblem {
  /** Empty where the batch as a whole is at fault. */
  readonly recordErrors: readonly RecordError[];
}

/** Checks batch after batch; what it learns about the last good one stands in its fields. */
export class RecordChecker {
  /** The highest timestamp of the records (of the append, where that is what they get). */
  maxTimestamp = batch.NO_TIMESTAMP;

  private readonly recordErrors: RecordError[] = [];
  private badTimestamp = false;
  private offsetsInOrder = true;

  check(buf: Buffer, at: number, rules: RecordRules, nowMs: number): RecordsProblem | null {
    const ofPlain = mayBePlain(buf, at) ? checkPlainRecords(buf, at, rules, nowMs) : NOT_PLAIN;
    if (ofPlain === NOT_PLAIN) return this.checkEach(buf, at, rules, nowMs);
    this.maxTimestamp = rules.logAppendTime ? nowMs : ofPlain;
    return null;
  }

  private checkEach(buf: Buffer, at: number, rules: RecordRules, nowMs: number): RecordsProblem | null {
    this.maxTimestamp = batch.NO_TIMESTAMP;
    this.badTimestamp = false;
    this.offsetsInOrder = true;
    this.recordErrors.length = 0;
    let cursor: RecordCursor;
    try {
      cursor = recordCursor(buf, at, MAX_DECOMPRESSED_BYTES);
    } catch (error) {
      return malformed(error, 'UNKNOWN_SERVER_ERROR');
    }
    try {
      this.walk(buf, at, cursor, rules, nowMs);
    } catch (error) {
      return malformed(error, 'INVALID_RECORD');
    }
    if (this.recordErrors.length > 0) return this.refusal();
    if (!this.offsetsInOrder) return OUT_OF_ORDER;
    if (rules.logAppendTime) this.maxTimestamp = nowMs;
    return null;
  }

  private walk(buf: Buffer, at: number, cursor: RecordCursor, rules: RecordRules, nowMs: number): void {
    const count = batch.recordCount(buf, at);
    const compressed = (batch.attributes(buf, at) & batch.COMPRESSION_MASK) !== 0;
    const baseTimestamp = batch.baseTimestamp(buf, at);
    const appendTime = hasLogAppendTime(buf, at);
    const timestampForAll = appendTime ? batch.maxTimestamp(buf, at) : 0;
    let found = 0;
    for (; found < count && cursor.next(); found++) {
      const timestamp = appendTime ? timestampForAll : baseTimestamp + cursor.timestampDelta;
      if (timestamp > this.maxTimestamp) this.maxTimestamp = timestamp;
      if (compressed && cursor.offsetDelta !== found) this.offsetsInOrder = false;
      if (rules.compacted && cursor.keyBytes < 0) this.refuse(found, withoutKey(rules));
      else if (!rules.logAppendTime && timestamp !== batch.NO_TIMESTAMP) {
        this.checkTime(found, cursor.offsetDelta, timestamp, rules, nowMs);
      } else if (appendTime) {
        this.badTimestamp = true;
        this.refuse(found, claimsAppendTime(cursor, timestamp));
      }
    }
    if (found !== count) throw new MalformedError(`${found} records in a batch of ${count}`);
    if (!cursor.atEnd()) throw new MalformedError(`more than the ${count} records that the batch counts`);
  }

  private checkTime(index: number, offset: number, timestamp: number, rules: RecordRules, nowMs: number): void {
    const age = nowMs - timestamp;
    if (age <= rules.timestampBeforeMaxMs && -age <= rules.timestampAfterMaxMs) return;
    this.badTimestamp = true;
    this.refuse(index, outOfRange(offset, timestamp, rules, nowMs));
  }

  private refuse(batchIndex: number, message: string): void {
    this.recordErrors.push({ batchIndex, message });
  }

  private refusal(): RecordsProblem {
    const recordErrors = [...this.recordErrors];
    return {
      error: this.badTimestamp ? 'INVALID_TIMESTAMP' : 'INVALID_RECORD',
      message: this.badTimestamp
        ? 'One or more records have been rejected due to invalid timestamp'
        : invalidRecords(recordErrors),
      recordErrors,
    };
  }
}

const mayBePlain = (buf: Buffer, at: number): boolean =>
  (batch.attributes(buf, at) & (batch.COMPRESSION_MASK | batch.TIMESTAMP_TYPE_BIT)) === 0;

/** The words are LogValidator's: Java's clients and librdkafka show them. */
const withoutKey = ({ topic, index }: RecordRules): string =>
  `Compacted topic cannot accept message without key in topic partition ${topic}-${index}`;

const claimsAppendTime = ({ offsetDelta, keyBytes, valueBytes }: RecordCursor, timestamp: number): string =>
  `Invalid timestamp type in message DefaultRecord(offset=${offsetDelta}, timestamp=${timestamp}, ` +
  `key=${Math.max(0, keyBytes)} bytes, value=${Math.max(0, valueBytes)} bytes). ` +
  'Producer should not set timestamp type to LogAppendTime.';

function outOfRange(offset: number, timestamp: number, rules: RecordRules, nowMs: number): string {
  const now = BigInt(nowMs);
  // no limit at all is Long.MAX_VALUE, and Java's sums wrap around
  const from = BigInt.asIntN(64, now - int64(rules.timestampBeforeMaxMs));
  const to = BigInt.asIntN(64, now + int64(rules.timestampAfterMaxMs));
  return `Timestamp ${timestamp} of message with offset ${offset} is out of range. The timestamp should be within [${from}, ${to}]`;
}

const LONG_MAX = 2n ** 63n - 1n;

/** A configured long, whose highest value a double rounds up. */
const int64 = (value: number): bigint => (value >= Number(LONG_MAX) ? LONG_MAX : BigInt(value));

const SHOWN_ERRORS = 3;

function invalidRecords(errors: readonly RecordError[]): string {
  const shown = errors
    .slice(0, SHOWN_ERRORS)
    .map(({ batchIndex, message }) => `RecordError(batchIndex=${batchIndex}, message='${message}')`);
  return (
    `One or more records have been rejected due to ${errors.length} record errors in total, ` +
    `and only showing the first three errors at most: [${shown.join(', ')}]`
  );
}

/** Kafka sets out to write such a compressed batch anew and fails with an UnsupportedOperationException. */
const OUT_OF_ORDER: RecordsProblem = {
  error: 'UNKNOWN_SERVER_ERROR',
  message: 'a compressed batch whose offset deltas are not 0, 1, 2, ...',
  recordErrors: [],
};

function malformed(error: unknown, name: 'UNKNOWN_SERVER_ERROR' | 'INVALID_RECORD'): RecordsProblem {
  if (!(error instanceof MalformedError)) throw error;
  return { error: name, message: error.message, recordErrors: [] };
}

/** Bits without a meaning go when the broker sets the attributes, as they do in Kafka. */
const KEPT_BITS = batch.COMPRESSION_MASK | batch.TRANSACTIONAL_BIT | batch.CONTROL_BIT | batch.DELETE_HORIZON_BIT;

/**
 * Gives the header the timestamp type and the maximum timestamp that the broker stands for, and then a new CRC. Leaves a
 * batch that has both alone.
 */
export function setTimestamps(buf: Buffer, at: number, logAppendTime: boolean, maxTimestamp: number): void {
  if (hasLogAppendTime(buf, at) === logAppendTime && batch.maxTimestamp(buf, at) === maxTimestamp) return;
  const bits = batch.attributes(buf, at) & KEPT_BITS;
  buf.writeInt16BE(logAppendTime ? bits | batch.TIMESTAMP_TYPE_BIT : bits, at + 21);
  batch.setInt64(buf, at + 35, maxTimestamp);
  setCrc(buf, at);
}
