import { describe, expect, it } from 'vitest';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { asKafkaError, coordinatorError } from '../../src/coordinator/errors.ts';
import type { StoredRecord } from '../../src/coordinator/log.ts';
import { answered } from '../../src/coordinator/state-machine.ts';
import { settle } from '../support/virtual-clock.ts';
import { add, type CounterMachine, counters } from './counter-machine.ts';

const errorOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return asKafkaError(error).errorName;
  }
  return 'NONE';
};
const rejectionOf = (promise: unknown): Promise<string> =>
  Promise.resolve(promise).then(
    () => 'NONE',
    (error) => asKafkaError(error).errorName,
  );
const sums = (machine: CounterMachine) => Object.fromEntries(machine.sums);

describe('a log that commits at once', () => {
  it('answers in the same tick, after the records have been replayed', () => {
    const { runtime, machines, log } = counters();
    runtime.load(3, 1);
    expect(runtime.write(3, 'a', add('a'))).toBe(0);
    expect(runtime.write(3, 'a', add('a'))).toBe(1);
    expect(sums(machines[0])).toEqual({ a: 2 });
    expect(machines[0].offsets).toEqual([0, 1]);
    expect(log.records(3).map((r) => String(r.key))).toEqual(['a', 'a']);
  });

  it('writes the records of one operation as one batch', () => {
    const { runtime, log } = counters();
    runtime.load(0, 0);
    runtime.write(0, 'a', () => ({
      records: [
        { name: 'a', by: 1 },
        { name: 'b', by: 2 },
      ],
      response: null,
    }));
    runtime.write(0, 'a', () => answered(null));
    expect(log.appends).toBe(1);
  });

  it('goes on from step to step', () => {
    const { runtime, machines } = counters();
    runtime.load(0, 0);
    const response = runtime.write(0, 'a', () => ({
      records: [{ name: 'a', by: 1 }],
      response: 'first',
      next: () => ({ records: [{ name: 'a', by: 10 }], response: `second after ${machines[0].sums.get('a')}` }),
    }));
    expect(response).toBe('second after 1');
    expect(sums(machines[0])).toEqual({ a: 11 });
  });

  it('changes nothing when the records are refused, and lets the operation put things right', () => {
    const { runtime, machines, log } = counters();
    runtime.load(0, 0);
    log.refuse = new KafkaError('NOT_ENOUGH_REPLICAS');
    const failures: string[] = [];
    const failed = (error: KafkaError) => failures.push(error.errorName);
    expect(errorOf(() => runtime.write(0, 'a', () => ({ ...add('a')(machines[0]), failed })))).toBe(
      'NOT_ENOUGH_REPLICAS',
    );
    expect(failures).toEqual(['NOT_ENOUGH_REPLICAS']);
    expect(sums(machines[0])).toEqual({});
  });
});

describe('a log that commits later', () => {
  it('answers when the records are committed, and changes the state only then', async () => {
    const { runtime, machines, log } = counters();
    runtime.load(0, 0);
    log.mode = 'held';
    const response = runtime.write(0, 'a', add('a'));
    expect(response).toBeInstanceOf(Promise);
    await settle();
    expect(runtime.read(0, sums)).toEqual({});
    log.commit();
    expect(await response).toBe(0);
    expect(sums(machines[0])).toEqual({ a: 1 });
  });

  it('runs operations on one subject one after the other, and those on others beside them', async () => {
    const { runtime, log } = counters();
    runtime.load(0, 0);
    log.mode = 'held';
    const a = [runtime.write(0, 'a', add('a')), runtime.write(0, 'a', add('a')), runtime.write(0, 'a', add('a'))];
    const b = runtime.write(0, 'b', add('b'));
    expect(log.held).toBe(2);
    log.commit();
    await settle();
    expect(log.held).toBe(1);
    log.commit();
    await settle();
    log.commit();
    expect(await Promise.all(a)).toEqual([0, 1, 2]);
    expect(await b).toBe(0);
    log.mode = 'sync';
    expect(runtime.write(0, 'a', add('a'))).toBe(3);
  });

  it('keeps the order when a step of an operation waits too', async () => {
    const { runtime, log } = counters();
    runtime.load(0, 0);
    log.mode = 'held';
    const order: string[] = [];
    const note = (what: string) => (machine: CounterMachine) => {
      order.push(what);
      return add('a')(machine);
    };
    const first = runtime.write(0, 'a', (machine) => ({ ...note('1')(machine), next: () => note('1b')(machine) }));
    const second = runtime.write(0, 'a', note('2'));
    log.commit();
    await settle();
    const third = runtime.write(0, 'a', note('3'));
    for (let i = 0; i < 4; i++) {
      log.commit();
      await settle();
    }
    expect(await Promise.all([first, second, third])).toEqual([1, 2, 3]);
    expect(order).toEqual(['1', '1b', '2', '3']);
  });

  it('gives up waiting after the commit timeout, though the records may still be committed', async () => {
    const { runtime, log, clock, machines } = counters();
    runtime.load(0, 0);
    log.mode = 'held';
    const first = rejectionOf(runtime.write(0, 'a', add('a')));
    await clock.advance(3000);
    const second = rejectionOf(runtime.write(0, 'a', add('a')));
    await clock.advance(2000);
    expect(await first).toBe('REQUEST_TIMED_OUT');
    await clock.advance(3000);
    expect(await second).toBe('REQUEST_TIMED_OUT');
    log.commit();
    await settle();
    // the second one never began
    expect(sums(machines[0])).toEqual({ a: 1 });
    expect(clock.pending).toBe(0);
  });

  it('lets those who wait go on when the one before them fails', async () => {
    const { runtime, log } = counters();
    runtime.load(0, 0);
    log.mode = 'held';
    const first = rejectionOf(runtime.write(0, 'a', add('a')));
    const second = runtime.write(0, 'a', add('a'));
    log.fail(new KafkaError('KAFKA_STORAGE_ERROR'));
    expect(await first).toBe('KAFKA_STORAGE_ERROR');
    await settle();
    log.commit();
    expect(await second).toBe(0);
  });

  it('refuses all who wait when leadership goes, and ignores what comes later', async () => {
    const { runtime, log, machines } = counters();
    runtime.load(0, 0);
    log.mode = 'held';
    const waiting = [runtime.write(0, 'a', add('a')), runtime.write(0, 'a', add('a'))].map(rejectionOf);
    runtime.unload(0, 1);
    expect(await Promise.all(waiting)).toEqual(['NOT_COORDINATOR', 'NOT_COORDINATOR']);
    expect(machines[0].isUnloaded).toBe(true);
    log.commit();
    await settle();
    expect(sums(machines[0])).toEqual({});
  });
});

describe('timers', () => {
  it('are operations like others', async () => {
    const { runtime, clock, machines } = counters();
    runtime.load(0, 0);
    machines[0].timers.schedule('t', 50, 'a');
    await clock.advance(60);
    expect(sums(machines[0])).toEqual({ a: 100 });
  });

  it('wait for their turn, and do not come when they were cancelled meanwhile', async () => {
    const { runtime, log, clock, machines } = counters();
    runtime.load(0, 0);
    log.mode = 'held';
    machines[0].timers.schedule('t', 50, 'a');
    machines[0].timers.schedule('u', 50, 'b');
    const writing = runtime.write(0, 'a', (m) => {
      const cancel = () => {
        m.timers.cancel('t');
        return answered(7);
      };
      return { ...add('a')(m), next: cancel };
    });
    await clock.advance(60);
    log.commit();
    expect(await writing).toBe(7);
    await settle();
    expect(sums(machines[0])).toEqual({ a: 1, b: 100 });
  });

  it('that fail are told to the log', async () => {
    const { runtime, log, clock, machines, logger } = counters();
    runtime.load(0, 0);
    machines[0].timers.schedule('t', 50, 'a');
    log.refuse = new KafkaError('NOT_ENOUGH_REPLICAS');
    await clock.advance(60);
    expect(logger.of('error')).toEqual(['a timer of the coordinator failed']);
  });

  it('end with the partition', async () => {
    const { runtime, clock, machines } = counters();
    runtime.load(0, 0);
    machines[0].timers.schedule('t', 50, 'a');
    runtime.close();
    expect(clock.pending).toBe(0);
  });
});

describe('leadership', () => {
  const stored = (name: string, by: string, offset: number): StoredRecord => {
    const fields = {
      key: Buffer.from(name),
      value: Buffer.from(by),
      timestampMs: 0,
      producerId: -1,
      producerEpoch: -1,
    };
    return { ...fields, offset, marker: null };
  };

  it('brings the state of the log', () => {
    const { runtime, log } = counters();
    log.records(2).push(stored('a', '5', 0), stored('a', '6', 1));
    expect(errorOf(() => runtime.write(2, 'a', add('a')))).toBe('NOT_COORDINATOR');
    runtime.load(2, 0);
    expect(runtime.write(2, 'a', add('a'))).toBe(11);
    expect([...runtime.partitions()]).toEqual([2]);
  });

  it('of an earlier epoch comes too late', () => {
    const { runtime, machines } = counters();
    runtime.load(0, 5);
    runtime.load(0, 5);
    runtime.load(0, 4);
    runtime.unload(0, 4);
    expect(machines).toHaveLength(1);
    expect(runtime.isActive(0)).toBe(true);
    runtime.load(0, 6);
    expect(machines).toHaveLength(2);
    expect(machines[0].isUnloaded).toBe(true);
    runtime.unload(0);
    expect(runtime.isActive(0)).toBe(false);
  });

  it('is COORDINATOR_LOAD_IN_PROGRESS while the log is read', async () => {
    const { runtime, log, machines } = counters();
    let finish: () => void = () => undefined;
    log.read = (_partition, each) =>
      new Promise<void>((resolve) => {
        finish = () => {
          each(stored('a', '5', 0));
          resolve();
        };
      });
    const loading = runtime.load(0, 0);
    expect(errorOf(() => runtime.write(0, 'a', add('a')))).toBe('COORDINATOR_LOAD_IN_PROGRESS');
    expect(errorOf(() => runtime.read(0, sums))).toBe('COORDINATOR_LOAD_IN_PROGRESS');
    finish();
    await loading;
    expect(machines[0].isLoaded).toBe(true);
    expect(runtime.write(0, 'a', add('a'))).toBe(5);
  });

  it('that goes while the log is read leaves nothing', async () => {
    const { runtime, log, machines } = counters();
    let finish: () => void = () => undefined;
    const reading = new Promise<void>((resolve) => {
      finish = resolve;
    });
    log.read = () => reading;
    const loading = runtime.load(0, 0);
    runtime.unload(0);
    finish();
    await loading;
    expect(machines[0].isLoaded).toBe(false);
    expect(machines[0].isUnloaded).toBe(false);
    expect(errorOf(() => runtime.read(0, sums))).toBe('NOT_COORDINATOR');
  });

  it('is refused when the log cannot be read', () => {
    const { runtime, log, logger } = counters();
    log.records(0).push(stored('a', 'NaN', 0));
    runtime.load(0, 0);
    expect(errorOf(() => runtime.write(0, 'a', add('a')))).toBe('NOT_COORDINATOR');
    expect(logger.of('error')).toEqual(['the coordinator could not be loaded']);
  });

  it('ends for good when the node stops', () => {
    const { runtime } = counters();
    runtime.load(0, 0);
    runtime.close();
    runtime.load(0, 1);
    expect(errorOf(() => runtime.write(0, 'a', add('a')))).toBe('COORDINATOR_NOT_AVAILABLE');
  });
});

it('tells clients of a coordinator, not of its log', () => {
  const told = (name: keyof typeof ErrorCode) => coordinatorError(ErrorCode[name]);
  expect(told('NOT_ENOUGH_REPLICAS')).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
  expect(told('REQUEST_TIMED_OUT')).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
  expect(told('UNKNOWN_TOPIC_OR_PARTITION')).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
  expect(told('NOT_LEADER_OR_FOLLOWER')).toBe(ErrorCode.NOT_COORDINATOR);
  expect(told('KAFKA_STORAGE_ERROR')).toBe(ErrorCode.NOT_COORDINATOR);
  expect(told('MESSAGE_TOO_LARGE')).toBe(ErrorCode.UNKNOWN_SERVER_ERROR);
  expect(told('ILLEGAL_GENERATION')).toBe(ErrorCode.ILLEGAL_GENERATION);
  expect(asKafkaError(new TypeError('ours')).code).toBe(ErrorCode.UNKNOWN_SERVER_ERROR);
});
