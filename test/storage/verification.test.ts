import { describe, expect, test } from 'vitest';
import type { Log, VerificationGuard } from '../../storage/index.ts';
import { LogError } from '../../storage/index.ts';
import { marker, newLog, produced } from './batches.ts';

/** The offset, or the error. */
function attempt(action: () => number): number | string {
  try {
    return action();
  } catch (error) {
    if (error instanceof LogError) return error.code;
    throw error;
  }
}

function append(log: Log, sequence: number, verification: VerificationGuard | null, producerEpoch = 0) {
  const batch = produced(1, sequence, { transactional: true, producerEpoch });
  return attempt(() => log.appendAsLeader(batch, 0, 'client', { verification }).firstOffset);
}

const end = (log: Log, epoch: number, transactionVersion: number): void => {
  log.appendAsLeader(marker(1, false, { epoch }), 0, 'coordinator', { transactionVersion });
};

describe('the verification of a transaction that begins (KIP-890)', () => {
  test('is needed for the first batch only', () => {
    const log = newLog();
    expect(append(log, 0, null)).toBe('INVALID_TXN_STATE');
    const guard = log.startVerification(1, 0, 0, false);
    expect(guard).not.toBeNull();
    expect(append(log, 0, guard)).toBe(0);
    expect(log.startVerification(1, 1, 0, false)).toBeNull();
    expect(append(log, 1, null)).toBe(1);
    end(log, 0, 0);
    expect(append(log, 2, null)).toBe('INVALID_TXN_STATE');
  });

  test('is over when a marker comes first: nothing can hang behind it', () => {
    const log = newLog();
    const guard = log.startVerification(1, 0, 0, false);
    end(log, 0, 0);
    expect(append(log, 0, guard)).toBe('INVALID_TXN_STATE');
    expect(append(log, 0, log.startVerification(1, 0, 0, false))).toBe(1);
  });

  test('goes on over the marker of the transaction before, where each has an epoch of its own', () => {
    const log = newLog();
    expect(append(log, 0, log.startVerification(1, 0, 0, true))).toBe(0);
    const next = log.startVerification(1, 0, 1, true);
    end(log, 1, 2);
    expect(append(log, 0, next, 1)).toBe(2);
  });

  test('is the same for batches that come together', () => {
    const log = newLog();
    const guard = log.startVerification(1, 0, 0, true);
    expect(log.startVerification(1, 1, 0, true)).toBe(guard);
    expect(append(log, 1, guard)).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER');
    expect(append(log, 0, guard)).toBe(0);
    expect(append(log, 1, guard)).toBe(1);
  });

  test('has the first sequence come first', () => {
    const known = newLog();
    known.appendAsLeader(produced(1, 0), 0);
    // of a producer that is known a later one may come, but none that is not the first
    expect(append(known, 2, known.startVerification(1, 1, 0, false))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER');
    const old = newLog();
    expect(append(old, 5, old.startVerification(1, 5, 0, false))).toBe(0);
    const raising = newLog();
    expect(append(raising, 5, raising.startVerification(1, 5, 0, true))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER');
  });

  test('refuses an epoch gone by at once', () => {
    const log = newLog();
    expect(append(log, 0, log.startVerification(1, 0, 3, false), 3)).toBe(0);
    expect(attempt(() => Number(log.startVerification(1, 0, 2, false)))).toBe('INVALID_PRODUCER_EPOCH');
    expect(append(log, 0, null, 2)).toBe('INVALID_PRODUCER_EPOCH');
    // a later epoch is another transaction
    expect(log.startVerification(1, 0, 4, false)).not.toBeNull();
  });

  test('is forgotten with time', () => {
    const log = newLog({ producerIdExpirationMs: 100 });
    const guard = log.startVerification(1, 0, 0, false);
    log.removeExpiredProducers(1_000_000 + 100);
    expect(append(log, 0, guard)).toBe('INVALID_TXN_STATE');
  });

  test('is not asked for where nobody verifies', () => {
    const log = newLog();
    expect(log.appendAsLeader(produced(1, 0, { transactional: true }), 0).firstOffset).toBe(0);
  });
});
