/** Offsets inside transactions, as they come from a log that Apache Kafka wrote. */
import { describe, expect, it } from 'vitest';
import { OffsetStore, storedOffset } from '../../src/group/offsets/offset-store.ts';
import type { CommittedOffset } from '../../src/group/offsets/records.ts';

let place = 0;
function stored(offset: number) {
  const committed: CommittedOffset = {
    offset,
    leaderEpoch: -1,
    metadata: '',
    commitTimestampMs: 0,
    expireTimestampMs: -1,
    topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
  };
  return storedOffset(committed, committed.topicId, place++);
}

const value = (store: OffsetStore, partition = 0) => store.committed.get('g', 't', partition)?.offset;

describe('an offset inside a transaction', () => {
  it('is seen when the transaction is committed', () => {
    const store = new OffsetStore();
    store.put('g', 't', 0, stored(1));
    store.putPending(7, 'g', 't', 0, stored(2));
    expect([value(store), store.hasPending('g', 't', 0), store.groupHasPending('g')]).toEqual([1, true, true]);
    store.endTransaction(7, 'commit');
    expect([value(store), store.hasPending('g', 't', 0), store.groupHasPending('g')]).toEqual([2, false, false]);
  });

  it('is never seen when the transaction is aborted', () => {
    const store = new OffsetStore();
    store.putPending(7, 'g', 't', 0, stored(2));
    store.endTransaction(7, 'abort');
    store.endTransaction(7, 'commit');
    expect([value(store), store.hasPending('g', 't', 0)]).toEqual([undefined, false]);
  });

  it('does not undo a later commit outside of it', () => {
    const store = new OffsetStore();
    store.putPending(7, 'g', 't', 0, stored(2));
    store.put('g', 't', 0, stored(3));
    store.endTransaction(7, 'commit');
    expect(value(store)).toBe(3);
  });

  it('goes with the partition', () => {
    const store = new OffsetStore();
    store.put('g', 't', 0, stored(1));
    store.putPending(7, 'g', 't', 0, stored(2));
    store.putPending(7, 'g', 't', 1, stored(3));
    store.delete('g', 't', 0);
    expect([...store.partitionsOf('g')]).toEqual([['t', 1]]);
    store.endTransaction(7, 'commit');
    expect([value(store), value(store, 1)]).toEqual([undefined, 3]);
  });

  it('is one of many: each producer has its own', () => {
    const store = new OffsetStore();
    const large = 9007199254740993n;
    store.putPending(7, 'g', 't', 0, stored(2));
    store.putPending(large, 'g', 't', 0, stored(3));
    store.endTransaction(7, 'commit');
    expect([value(store), store.hasPending('g', 't', 0)]).toEqual([2, true]);
    expect([...store.pendingOf('g')].map(([, , { offset }]) => offset)).toEqual([3]);
    store.endTransaction(9007199254740993n, 'commit');
    expect([value(store), store.hasPending('g', 't', 0)]).toEqual([3, false]);
    expect([...store.groupIds()]).toEqual(['g']);
  });
});
