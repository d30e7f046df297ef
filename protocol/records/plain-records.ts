/**
 * The check of records as almost all are: without headers, and with no varint of more than three bytes. Every record that is produced
 * without compression goes through it, so it is one loop over locals: a third of the time that a RecordCursor takes.
 */
import * as batch from './batch.ts';
import type { RecordRules } from './check-records.ts';

/** Some record is of another kind or wrong; which one, and how, RecordChecker finds out. */
export const NOT_PLAIN = -2;

/**
 * The highest timestamp of the records in the batch at `at`, which is whole, not compressed, and has the times that its records were made
 * at: where every one of them is plain and keeps the rules. Otherwise NOT_PLAIN.
 */
export function checkPlainRecords(buf: Buffer, at: number, rules: RecordRules, nowMs: number): number {
  const count = batch.recordCount(buf, at);
  const baseTimestamp = batch.baseTimestamp(buf, at);
  const beforeMaxMs = rules.logAppendTime ? Number.POSITIVE_INFINITY : rules.timestampBeforeMaxMs;
  const afterMaxMs = rules.logAppendTime ? Number.POSITIVE_INFINITY : rules.timestampAfterMaxMs;
  const end = at + batch.sizeBytes(buf, at);
  let position = at + batch.BATCH_HEADER_BYTES;
  let maxTimestamp = batch.NO_TIMESTAMP;
  for (let i = 0; i < count; i++) {
    const size = shortVarint(buf, position);
    const timestampAt = position + (size & 3) + 1;
    const timestampDelta = shortVarint(buf, timestampAt);
    const offsetAt = timestampAt + (timestampDelta & 3);
    const offsetDelta = shortVarint(buf, offsetAt);
    const keySizeAt = offsetAt + (offsetDelta & 3);
    const keySize = shortVarint(buf, keySizeAt);
    const isKeyed = (keySize & 4) === 0;
    const valueSizeAt = keySizeAt + (keySize & 3) + (isKeyed ? keySize >>> 3 : 0);
    const valueSize = shortVarint(buf, valueSizeAt);
    const headersAt = valueSizeAt + (valueSize & 3) + ((valueSize & 4) === 0 ? valueSize >>> 3 : 0);
    if (size === 0 || timestampDelta === 0 || offsetDelta === 0 || keySize === 0 || valueSize === 0) return NOT_PLAIN;
    position += (size & 3) + (size >>> 3);
    if ((size & 4) !== 0 || headersAt + 1 !== position || position > end || buf[headersAt] !== 0) return NOT_PLAIN;
    if (rules.compacted && !isKeyed) return NOT_PLAIN;
    const timestamp = baseTimestamp + ((timestampDelta >>> 3) ^ -((timestampDelta >>> 2) & 1));
    const ageMs = nowMs - timestamp;
    if (ageMs > beforeMaxMs || -ageMs > afterMaxMs) return NOT_PLAIN;
    if (timestamp > maxTimestamp) maxTimestamp = timestamp;
  }
  return position === end ? maxTimestamp : NOT_PLAIN;
}

/**
 * A varint of up to three bytes as one number, which costs no object and no field: how many bytes it has in the lowest two bits, above
 * them the sign, above that the rest as it is written (zigzag; a length is what stands there). 0 where it has more bytes, or they end.
 * The caller takes it apart with `& 3`, `& 4` and `>>> 3` written out: functions with names for that are too many to be inlined there.
 */
function shortVarint(buf: Buffer, at: number): number {
  const first = buf[at];
  if (first < 0x80) return (first << 2) | 1;
  const second = buf[at + 1];
  if (second < 0x80) return (second << 9) | ((first & 0x7f) << 2) | 2;
  const third = buf[at + 2];
  if (third < 0x80) return (third << 16) | ((second & 0x7f) << 9) | ((first & 0x7f) << 2) | 3;
  return 0;
}
