/**
 * 64 bits on the wire, a plain number inside (DESIGN decision 11). The codec yields a number for every value that a double
 * holds exactly and a bigint for the rest, so that nothing is lost bit for bit; code that computes converts here, once.
 */
export type Int64 = number | bigint;

/** The value as a number; what a double cannot hold exactly saturates at +-(2^53 - 1): larger than any offset we store. */
export function toNumber(value: Int64): number {
  if (typeof value === 'number') return value;
  return value > 0n ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER;
}
