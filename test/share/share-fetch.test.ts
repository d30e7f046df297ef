import { describe, expect, it } from 'vitest';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { transactionMarkerBatch } from '../../protocol/records/control.ts';
import { pending } from '../group/protocol.ts';
import { batch } from '../storage/batches.ts';
import { ShareBroker } from './share-broker.ts';

const ACCEPT = 1;
const RELEASE = 2;
const RENEW = 4;
const LOCK_MS = 30_000;

async function shareBroker(options?: { maxSessions?: number }): Promise<ShareBroker> {
  const broker = new ShareBroker(options);
  await broker.begin();
  return broker;
}

const append = (broker: ShareBroker, ...counts: number[]) => {
  for (const count of counts) broker.partition.appendAsCoordinator(batch(count));
};

describe('a lock', () => {
  it('ends when its time is over, and wakes who waits', async () => {
    const broker = await shareBroker();
    append(broker, 3);
    const [a, b] = [broker.member('a'), broker.member('b')];
    expect((await a.fetch()).acquired).toEqual([[0, 2, 1]]);
    await a.acknowledge([0, 0, ACCEPT]);
    const waiting = pending(b.fetch({ maxWaitMs: 60_000 }));
    await broker.clock.advance(LOCK_MS - 1);
    expect(waiting.answer).toBeNull();
    await broker.clock.advance(1);
    expect(waiting.answer?.acquired).toEqual([[1, 2, 2]]);
    expect(await a.acknowledge([1, 2, ACCEPT])).toBe(ErrorCode.INVALID_RECORD_STATE);
    expect(await b.acknowledge([1, 2, ACCEPT])).toBe(0);
  });

  it('is as long as the group says, and can be renewed', async () => {
    const broker = await shareBroker();
    broker.overrides.set('share.record.lock.duration.ms', '20000');
    append(broker, 2);
    const [a, b] = [broker.member('a'), broker.member('b')];
    expect((await a.fetch()).response.acquisitionLockTimeoutMs).toBe(20_000);
    await broker.clock.advance(15_000);
    expect(await a.renew([0, 0, RENEW])).toBe(0);
    await broker.clock.advance(5000);
    expect((await b.fetch()).acquired).toEqual([[1, 1, 2]]);
    await broker.clock.advance(15_000);
    expect((await b.fetch()).acquired).toEqual([[0, 0, 2]]);
  });

  it('that is over once too often ends the record', async () => {
    const broker = await shareBroker();
    broker.overrides.set('share.delivery.count.limit', '2');
    append(broker, 1, 1);
    const a = broker.member('a');
    expect((await a.fetch({ maxRecords: 1 })).acquired).toEqual([[0, 0, 1]]);
    await broker.clock.advance(LOCK_MS);
    expect((await a.fetch({ maxRecords: 1 })).acquired).toEqual([[0, 0, 2]]);
    await broker.clock.advance(LOCK_MS);
    expect((await a.fetch()).acquired).toEqual([[1, 1, 1]]);
    expect(broker.share.startOffset).toBe(1);
    expect(await broker.summary()).toEqual([0, 1]);
  });

  it('leaves nothing behind: no timer runs for what is done', async () => {
    const broker = await shareBroker();
    const before = broker.clock.pending;
    append(broker, 2);
    const a = broker.member('a');
    await a.fetch();
    expect(broker.clock.pending).toBe(before + 1);
    await a.acknowledge([0, 1, ACCEPT]);
    await broker.clock.advance(LOCK_MS);
    expect(broker.clock.pending).toBe(before);
  });

  it('is one of so many as the group may have', async () => {
    const broker = await shareBroker();
    broker.overrides.set('share.partition.max.record.locks', '100');
    append(broker, 60, 60, 60);
    const [a, b] = [broker.member('a'), broker.member('b')];
    expect((await a.fetch()).acquired).toEqual([[0, 119, 1]]);
    expect((await b.fetch()).acquired).toEqual([]);
    await a.acknowledge([30, 119, RELEASE]);
    expect((await b.fetch({ maxRecords: 10 })).acquired).toEqual([[30, 119, 2]]);
    await a.acknowledge([0, 29, ACCEPT]);
    expect((await a.fetch()).acquired).toEqual([[120, 179, 1]]);
  });
});

describe('a share fetch that waits', () => {
  it('is not answered with nothing because another one was faster', async () => {
    const broker = await shareBroker();
    const [a, b] = [broker.member('a'), broker.member('b')];
    const first = pending(a.fetch({ maxWaitMs: 1000 }));
    const second = pending(b.fetch({ maxWaitMs: 1000 }));
    append(broker, 2);
    await broker.clock.advance(0);
    expect(first.answer?.acquired).toEqual([[0, 1, 1]]);
    expect(second.answer).toBeNull();
    await a.leave();
    await broker.clock.advance(0);
    expect(second.answer?.acquired).toEqual([[0, 1, 2]]);
  });

  it('waits for as many bytes as it was asked to', async () => {
    const broker = await shareBroker();
    const a = broker.member('a');
    const fetched = pending(a.fetch({ maxWaitMs: 1000, minBytes: 250 }));
    append(broker, 1);
    await broker.clock.advance(500);
    expect(fetched.answer).toBeNull();
    append(broker, 50);
    await broker.clock.advance(0);
    expect(fetched.answer?.acquired).toEqual([[0, 50, 1]]);
  });

  it('takes no records when its connection goes', async () => {
    const broker = await shareBroker();
    const [a, b] = [broker.member('a'), broker.member('b')];
    const gone = pending(a.fetch({ maxWaitMs: 60_000 }));
    await broker.clock.advance(10);
    append(broker, 2);
    a.disconnect();
    await broker.clock.advance(10);
    expect(gone.answer?.acquired).toEqual([]);
    expect((await b.fetch()).acquired).toEqual([[0, 1, 1]]);
  });

  it('learns of the end of its topic', async () => {
    const broker = await shareBroker();
    const fetched = pending(broker.member('a').fetch({ maxWaitMs: 60_000 }));
    await broker.clock.advance(10);
    broker.partition.markDeleted();
    await broker.clock.advance(0);
    expect(fetched.answer?.partition).toMatchObject({ errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION });
  });

  it('waits for a share partition that is being loaded, and is told where that fails', async () => {
    const broker = await shareBroker();
    append(broker, 1);
    broker.coordinator.onResigned(0);
    const fetched = pending(broker.member('a').fetch({ maxWaitMs: 60_000 }));
    await broker.clock.advance(1000);
    expect(fetched.answer).toBeNull();
    broker.coordinator.onElected(0, 1);
    await broker.clock.advance(0);
    expect(fetched.answer?.acquired).toEqual([[0, 0, 1]]);

    broker.restart();
    broker.coordinator.onResigned(0);
    const refused = pending(broker.member('b').fetch({ maxWaitMs: 60_000 }));
    await broker.clock.advance(5000);
    expect(refused.answer?.partition).toMatchObject({ errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE });
  });
});

describe('what the share coordinator cannot write', () => {
  it('does not happen: the member may try again', async () => {
    const broker = await shareBroker();
    append(broker, 2);
    const a = broker.member('a');
    await a.fetch();
    broker.log.refuse = new KafkaError('NOT_ENOUGH_REPLICAS');
    expect(await a.acknowledge([0, 1, ACCEPT])).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    expect(broker.share.startOffset).toBe(0);
    broker.log.refuse = null;
    expect(await a.acknowledge([0, 1, ACCEPT])).toBe(0);
    expect(broker.share.startOffset).toBe(2);
  });

  it('goes to others where the lock ends meanwhile', async () => {
    const broker = await shareBroker();
    append(broker, 2);
    const [a, b] = [broker.member('a'), broker.member('b')];
    await a.fetch();
    await broker.clock.advance(LOCK_MS - 1000);
    broker.log.mode = 'held';
    const acknowledged = pending(a.acknowledge([0, 1, ACCEPT]));
    await broker.clock.advance(2000);
    expect((await b.fetch()).acquired).toEqual([]);
    expect(acknowledged.answer).toBeNull();
    broker.log.mode = 'sync';
    broker.log.fail(new KafkaError('NOT_ENOUGH_REPLICAS'));
    await broker.clock.advance(0);
    expect(acknowledged.answer).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    expect((await b.fetch()).acquired).toEqual([[0, 1, 2]]);
  });

  it('is answered only when it has been written', async () => {
    const broker = await shareBroker();
    append(broker, 2);
    const a = broker.member('a');
    await a.fetch();
    broker.log.mode = 'held';
    const acknowledged = pending(a.acknowledge([0, 0, ACCEPT]));
    await broker.clock.advance(10);
    expect(acknowledged.answer).toBeNull();
    expect(await broker.share.acknowledge('a', [{ firstOffset: 0, lastOffset: 0, types: [ACCEPT] }])).toMatchObject({
      code: ErrorCode.INVALID_RECORD_STATE,
    });
    broker.log.commit();
    await broker.clock.advance(0);
    expect(acknowledged.answer).toBe(0);
    expect(broker.share.startOffset).toBe(1);
  });
});

describe('records of transactions', () => {
  const inTransaction = (broker: ShareBroker, count: number) =>
    broker.partition.appendAsCoordinator(
      batch(count, { producerId: 7, producerEpoch: 0, baseSequence: 0, transactional: true }),
    );
  const end = (broker: ShareBroker, commit: boolean) =>
    broker.partition.appendAsCoordinator(
      transactionMarkerBatch({ commit, coordinatorEpoch: 0, producerId: 7, producerEpoch: 0, timestampMs: 0 }),
    );

  it('are delivered whatever becomes of them, unless the group reads what is committed', async () => {
    const broker = await shareBroker();
    append(broker, 1);
    inTransaction(broker, 2);
    expect((await broker.member('a').fetch()).acquired).toEqual([[0, 2, 1]]);
  });

  it('wait for the end of the transaction, and are passed over where it was aborted', async () => {
    const broker = await shareBroker();
    broker.overrides.set('share.isolation.level', 'read_committed');
    const a = broker.member('a');
    append(broker, 1);
    inTransaction(broker, 2);
    append(broker, 1);
    expect((await a.fetch()).acquired).toEqual([[0, 0, 1]]);
    expect((await a.fetch()).acquired).toEqual([]);
    end(broker, false);
    expect((await a.fetch()).acquired).toEqual([[3, 4, 1]]);
    expect(await a.acknowledge([0, 0, ACCEPT], [3, 4, ACCEPT])).toBe(0);
    expect(broker.share.startOffset).toBe(5);
  });

  it('are delivered where they were committed', async () => {
    const broker = await shareBroker();
    broker.overrides.set('share.isolation.level', 'read_committed');
    inTransaction(broker, 2);
    end(broker, true);
    expect((await broker.member('a').fetch()).acquired).toEqual([[0, 2, 1]]);
  });
});

describe('a group', () => {
  it('goes on after a restart where it was, but for what was not acknowledged', async () => {
    const broker = await shareBroker();
    append(broker, 2, 2, 2);
    const a = broker.member('a');
    expect((await a.fetch()).acquired).toEqual([[0, 5, 1]]);
    await a.acknowledge([0, 0, ACCEPT], [2, 2, RELEASE], [4, 4, ACCEPT]);
    broker.restart();
    const b = broker.member('b');
    const again = [];
    for (let fetched = await b.fetch(); fetched.acquired.length > 0; fetched = await b.fetch())
      again.push(...fetched.acquired);
    expect(again.sort()).toEqual([
      [1, 1, 1],
      [2, 2, 2],
      [3, 3, 1],
      [5, 5, 1],
    ]);
    expect(await b.acknowledge([1, 3, ACCEPT], [5, 5, ACCEPT])).toBe(0);
    expect(broker.share.startOffset).toBe(6);
  });

  it('is forgotten when its last connection is gone', async () => {
    const broker = await shareBroker();
    append(broker, 1);
    const [a, b] = [broker.member('a'), broker.member('b')];
    await a.fetch();
    await b.fetch();
    const share = broker.share;
    a.disconnect();
    expect(share.isActive).toBe(true);
    b.disconnect();
    expect(share.isActive).toBe(false);
    expect(broker.sessions.size).toBe(0);
    expect((await broker.member('c').fetch()).acquired).toEqual([[0, 0, 2]]);
  });

  it('has as many sessions as the broker allows', async () => {
    const broker = await shareBroker({ maxSessions: 1 });
    const [a, b] = [broker.member('a'), broker.member('b')];
    await a.fetch();
    const refused = pending(b.fetch({ maxWaitMs: 500 }));
    await broker.clock.advance(499);
    expect(refused.answer).toBeNull();
    await broker.clock.advance(1);
    expect(refused.answer?.errorCode).toBe(ErrorCode.SHARE_SESSION_LIMIT_REACHED);
    a.disconnect();
    expect((await broker.member('c').fetch()).errorCode).toBe(0);
  });
});
