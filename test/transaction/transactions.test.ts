import { describe, expect, it } from 'vitest';
import { KafkaError } from '../../protocol/errors.ts';
import { identity, T0, T1, TransactionWorld } from './transaction-world.ts';

const FENCED = 'PRODUCER_FENCED -1/-1';
const CONCURRENT = 'CONCURRENT_TRANSACTIONS -1/-1';

describe('InitProducerId', () => {
  it('gives a new id, then the next epoch', async () => {
    const world = new TransactionWorld();
    expect(await world.init('a')).toBe('NONE 100/0');
    expect(await world.init('a')).toBe('NONE 100/1');
    expect(await world.init('b')).toBe('NONE 101/0');
    expect(world.state('a')).toBe('Empty 100/1');
  });

  it('lets a producer go on, once or asked again, but not one that was replaced (KIP-360)', async () => {
    const world = new TransactionWorld();
    const first = identity(await world.init('a'));
    expect(await world.init('a', first)).toBe('NONE 100/1');
    expect(await world.init('a', first)).toBe('NONE 100/1');
    expect(await world.init('a')).toBe('NONE 100/2');
    expect(await world.init('a', first)).toBe(FENCED);
    expect(await world.init('a', { producerId: 100, producerEpoch: 1 })).toBe(FENCED);
    expect(await world.init('a', { producerId: 99, producerEpoch: 2 })).toBe(FENCED);
    // nothing is known of an id that has expired
    expect(await world.init('b', { producerId: 99, producerEpoch: 2 })).toBe('NONE 101/0');
  });

  it('changes the producer id when the epochs are used up', async () => {
    const world = new TransactionWorld();
    const last = await world.reach('a', 32_766);
    expect(await world.init('a', last)).toBe('NONE 101/0');
    // it has not heard of it
    expect(await world.init('a', last)).toBe('NONE 101/0');
    expect(await world.init('a', { ...last, producerEpoch: 32_765 })).toBe(FENCED);
  });

  it.each([
    [0, '100/1', 'NONE 100/2'],
    [1, '100/1', 'NONE 100/2'],
    [2, '100/1', 'NONE 100/2'],
  ])('aborts what is open and has the client come again (transaction.version %i)', async (version, fencedAs, next) => {
    const world = new TransactionWorld({ transactionVersion: version });
    const who = identity(await world.init('a'));
    await world.add('a', who, 0, T0);
    expect(await world.init('a')).toBe(CONCURRENT);
    expect(world.state('a')).toBe(`CompleteAbort ${fencedAs}`);
    expect(world.sent).toMatchObject([{ result: 'abort', producerEpoch: 1, transactionVersion: version < 2 ? 0 : 2 }]);
    expect(await world.init('a')).toBe(next);
    expect(await world.add('a', who, 0, T0)).toBe('PRODUCER_FENCED');
    expect(await world.end('a', who, 'commit', 0)).toBe(FENCED);
  });

  it.each([0, -1, 900_001])('refuses a timeout of %i ms', async (timeoutMs) => {
    expect(await new TransactionWorld().init('a', null, timeoutMs)).toBe('INVALID_TRANSACTION_TIMEOUT -1/-1');
  });
});

describe('the end of a transaction', () => {
  it('keeps the epoch by the old protocol, and takes the same end again', async () => {
    const world = new TransactionWorld();
    const who = identity(await world.init('a'));
    expect(await world.end('a', who, 'commit', 0)).toBe('INVALID_TXN_STATE -1/-1');
    await world.add('a', who, 0, T0, T1);
    expect(world.state('a')).toBe('Ongoing 100/0 t-0 t-1');
    expect(await world.end('a', who, 'commit', 0)).toBe('NONE 100/0');
    expect(await world.end('a', who, 'commit', 0)).toBe('NONE -1/-1');
    expect(await world.end('a', who, 'abort', 0)).toBe('INVALID_TXN_STATE -1/-1');
    expect(world.state('a')).toBe('CompleteCommit 100/0');
  });

  it('raises the epoch by the new one, and knows a retry by it', async () => {
    const world = new TransactionWorld();
    const who = identity(await world.init('a'));
    await world.add('a', who, 2, T0);
    expect(await world.end('a', who, 'commit', 2)).toBe('NONE 100/1');
    expect(world.sent).toMatchObject([{ result: 'commit', producerEpoch: 1, transactionVersion: 2 }]);
    expect(await world.end('a', who, 'commit', 2)).toBe('NONE 100/1');
    expect(await world.end('a', who, 'abort', 2)).toBe('INVALID_TXN_STATE -1/-1');
    expect(await world.end('a', { ...who, producerEpoch: 1 }, 'commit', 2)).toBe('INVALID_TXN_STATE -1/-1');
    // an abort without a transaction is the next epoch
    expect(await world.end('a', { ...who, producerEpoch: 1 }, 'abort', 2)).toBe('NONE 100/2');
    expect(world.state('a')).toBe('CompleteAbort 100/2');
    expect(await world.end('a', who, 'abort', 2)).toBe(FENCED);
  });

  it('changes the producer id when the epochs are used up', async () => {
    const world = new TransactionWorld();
    const last = await world.reach('a', 32_766);
    await world.add('a', last, 2, T0);
    expect(await world.end('a', last, 'commit', 2)).toBe('NONE 101/0');
    expect(world.sent).toMatchObject([{ producerId: 100, producerEpoch: 32_767 }]);
    expect(await world.end('a', last, 'commit', 2)).toBe('NONE 101/0');
    expect(await world.end('a', last, 'abort', 2)).toBe('INVALID_TXN_STATE -1/-1');
    expect(world.state('a')).toBe('CompleteCommit 101/0');
  });

  it('is busy until all markers are written', async () => {
    const world = new TransactionWorld();
    const who = identity(await world.init('a'));
    await world.add('a', who, 0, T0);
    world.holdsMarkers = true;
    expect(await world.end('a', who, 'commit', 0)).toBe('NONE 100/0');
    expect(world.state('a')).toBe('PrepareCommit 100/0 t-0');
    expect(await world.end('a', who, 'commit', 0)).toBe(CONCURRENT);
    expect(await world.end('a', who, 'commit', 2)).toBe(CONCURRENT);
    expect(await world.add('a', who, 0, T1)).toBe('CONCURRENT_TRANSACTIONS');
    expect(await world.init('a')).toBe(CONCURRENT);
    await world.release();
    expect(world.state('a')).toBe('CompleteCommit 100/0');
    expect(await world.add('a', who, 0, T1)).toBe('NONE');
  });

  it('tries markers again that could not be written, and passes over partitions that are gone', async () => {
    const world = new TransactionWorld();
    const who = identity(await world.init('a'));
    await world.add('a', who, 0, T0, T1, { topic: 't', partition: 2 });
    world.outcomes.set(1, 'again').set(2, 'gone');
    await world.end('a', who, 'abort', 0);
    expect(world.state('a')).toMatch(/^PrepareAbort/);
    await world.clock.advance(250);
    expect(world.sent.map(({ partitions }) => [...partitions].map((p) => p.partition))).toEqual([[0, 1, 2], [1], [1]]);
    world.outcomes.clear();
    await world.clock.advance(100);
    expect(world.state('a')).toBe('CompleteAbort 100/0');
    await world.clock.advance(1000);
    expect(world.sent).toHaveLength(4);
  });

  it('gives up where a partition knows of a later epoch', async () => {
    const world = new TransactionWorld();
    const who = identity(await world.init('a'));
    await world.add('a', who, 0, T0);
    world.outcomes.set(0, 'fenced');
    await world.end('a', who, 'commit', 0);
    await world.clock.advance(10_000);
    expect(world.sent).toHaveLength(1);
    expect(world.state('a')).toMatch(/^PrepareCommit/);
  });

  it('is what the log says: another coordinator goes on with the markers', async () => {
    const world = new TransactionWorld();
    const who = identity(await world.init('a'));
    await world.add('a', who, 2, T0);
    world.holdsMarkers = true;
    expect(await world.end('a', who, 'commit', 2)).toBe('NONE 100/1');
    world.failover();
    expect(world.sent).toMatchObject([
      { coordinatorEpoch: 7 },
      { coordinatorEpoch: 8, result: 'commit', producerEpoch: 1 },
    ]);
    await world.release();
    expect(world.state('a')).toBe('CompleteCommit 100/1');
    world.failover();
    expect(world.state('a')).toBe('CompleteCommit 100/1');
    expect(world.sent).toHaveLength(2);
  });

  it('does not happen where it cannot be logged', async () => {
    const world = new TransactionWorld();
    const who = identity(await world.init('a'));
    await world.add('a', who, 2, T0);
    world.log.refuse = new KafkaError('NOT_ENOUGH_REPLICAS');
    expect(await world.end('a', who, 'commit', 2)).toBe('COORDINATOR_NOT_AVAILABLE -1/-1');
    expect(await world.init('b')).toBe('COORDINATOR_NOT_AVAILABLE -1/-1');
    expect(world.sent).toEqual([]);
    world.log.refuse = null;
    expect(world.state('a')).toBe('Ongoing 100/0 t-0');
    expect(world.state('b')).toBe('TRANSACTIONAL_ID_NOT_FOUND');
    expect(await world.end('a', who, 'commit', 2)).toBe('NONE 100/1');
  });

  it('is completed later where the completion cannot be logged', async () => {
    const world = new TransactionWorld();
    const who = identity(await world.init('a'));
    await world.add('a', who, 0, T0);
    world.holdsMarkers = true;
    await world.end('a', who, 'commit', 0);
    world.log.refuse = new KafkaError('NOT_ENOUGH_REPLICAS');
    await world.release();
    expect(world.state('a')).toMatch(/^PrepareCommit/);
    world.log.refuse = null;
    world.holdsMarkers = false;
    await world.clock.advance(200);
    expect(world.state('a')).toBe('CompleteCommit 100/0');
  });

  it('is answered, and its markers leave, when it is committed', async () => {
    const world = new TransactionWorld();
    const who = identity(await world.init('a'));
    await world.add('a', who, 2, T0);
    world.log.mode = 'held';
    let answer = '';
    world.end('a', who, 'commit', 2).then((said) => {
      answer = said;
    });
    await world.clock.advance(10);
    expect([answer, world.sent.length]).toEqual(['', 0]);
    world.log.commit();
    await world.clock.advance(0);
    expect([answer, world.sent.length]).toEqual(['NONE 100/1', 1]);
    expect(world.state('a')).toMatch(/^PrepareCommit/);
    world.log.commit();
    await world.clock.advance(0);
    expect(world.state('a')).toBe('CompleteCommit 100/1');
  });
});

describe('time', () => {
  it.each([0, 2])('aborts a transaction that takes too long (transaction.version %i)', async (version) => {
    const world = new TransactionWorld({ transactionVersion: version });
    const who = identity(await world.init('a', null, 15_000));
    await world.add('a', who, version, T0);
    await world.clock.advance(10_000);
    expect(world.state('a')).toMatch(/^Ongoing/);
    await world.clock.advance(10_001);
    expect(world.state('a')).toBe('CompleteAbort 100/1');
    expect(await world.add('a', who, version, T0)).toBe('PRODUCER_FENCED');
    expect(await world.init('a')).toBe('NONE 100/2');
  });

  it('aborts with a new producer id where the epochs are used up', async () => {
    const world = new TransactionWorld();
    const last = await world.reach('a', 32_766);
    await world.add('a', last, 2, T0);
    await world.clock.advance(80_000);
    expect(world.state('a')).toBe('CompleteAbort 101/0');
  });

  it('forgets an id that nobody uses, unless its transaction is open', async () => {
    const world = new TransactionWorld();
    const idle = identity(await world.init('idle'));
    await world.add('idle', idle, 0, T0);
    await world.end('idle', idle, 'commit', 0);
    await world.init('empty');
    const weekMs = 604_800_000;
    await world.clock.advance(weekMs - 1000);
    const open = identity(await world.init('used'));
    expect(world.state('idle')).toMatch(/^CompleteCommit/);
    await world.clock.advance(3_600_000);
    await world.add('used', open, 0, T0);
    expect([world.state('idle'), world.state('empty')]).toEqual(Array(2).fill('TRANSACTIONAL_ID_NOT_FOUND'));
    expect(world.state('used')).toMatch(/^Ongoing/);
    world.failover();
    expect(world.state('idle')).toBe('TRANSACTIONAL_ID_NOT_FOUND');
    expect(await world.end('idle', idle, 'commit', 0)).toBe('INVALID_PRODUCER_ID_MAPPING -1/-1');
  });
});

describe('ListTransactions', () => {
  const request = { stateFilters: [], producerIdFilters: [], durationFilter: -1, transactionalIdPattern: null };
  const idsOf = (world: TransactionWorld, more: object): string[] =>
    (world.coordinator.listTransactions({ ...request, ...more }).transactionStates ?? []).map(
      ({ transactionalId }) => transactionalId as string,
    );

  it('lists by state, producer, duration and pattern', async () => {
    const world = new TransactionWorld();
    const who = identity(await world.init('orders-1'));
    await world.init('orders-2');
    await world.init('other');
    await world.add('orders-1', who, 0, T0);
    await world.clock.advance(5000);
    expect(idsOf(world, {})).toEqual(['orders-1', 'orders-2', 'other']);
    expect(idsOf(world, { stateFilters: ['Ongoing'] })).toEqual(['orders-1']);
    expect(idsOf(world, { producerIdFilters: [102] })).toEqual(['other']);
    expect(idsOf(world, { durationFilter: 4000, stateFilters: ['Ongoing'] })).toEqual(['orders-1']);
    expect(idsOf(world, { durationFilter: 5000, stateFilters: ['Ongoing'] })).toEqual([]);
    expect(idsOf(world, { transactionalIdPattern: 'orders-.' })).toEqual(['orders-1', 'orders-2']);
    expect(idsOf(world, { transactionalIdPattern: 'orders' })).toEqual([]);
    expect(world.coordinator.listTransactions({ ...request, stateFilters: ['Nonsense'] })).toMatchObject({
      unknownStateFilters: ['Nonsense'],
      transactionStates: [],
    });
  });

  it.each(['(', '(?=a)', '(a)\\1'])('refuses the pattern %s', (transactionalIdPattern) => {
    const { coordinator } = new TransactionWorld();
    expect(() => coordinator.listTransactions({ ...request, transactionalIdPattern })).toThrow(
      'is not a valid regular expression',
    );
  });

  it('is not held up by a pattern that would take a backtracking engine for ever', async () => {
    const world = new TransactionWorld();
    await world.init(`${'a'.repeat(40)}!`);
    expect(idsOf(world, { transactionalIdPattern: '(a+)+' })).toEqual([]);
  });
});
