import { KafkaError } from '../../protocol/errors.ts';
import type { Clock, Logger } from '../env.ts';
import { asKafkaError } from './errors.ts';
import type { CoordinatorLog } from './log.ts';
import type { Outcome, StateMachine } from './state-machine.ts';
import { type TimerSink, Timers } from './timers.ts';

export type Operation<M, R, T> = (machine: M, nowMs: number) => Outcome<R, T>;

export interface ShardEnv {
  readonly log: CoordinatorLog;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long an operation may wait for its records to be committed. */
  commitTimeoutMs(): number;
}

/** Runs an operation that had to wait. */
type Turn = () => void;

/**
 * One partition's state machine and its operations. Operations on one subject run strictly one after the other: while the
 * records of one are on their way to being committed, the next ones on that subject wait. Subjects do not wait for one
 * another. Where the log commits at once nothing ever waits.
 */
export class Shard<M extends StateMachine<R, E>, R, E> {
  readonly partition: number;
  readonly epoch: number;
  readonly machine: M;
  state: 'loading' | 'active' | 'failed' | 'closed' = 'loading';
  private readonly env: ShardEnv;
  private readonly timers: Timers<E>;
  /** Subjects with records on their way, each with the operations that wait behind them. */
  private readonly busy = new Map<string, Turn[]>();
  /** Refuses the operations that wait: for their turn or for their records. */
  private readonly waiting = new Set<(error: KafkaError) => void>();

  constructor(partition: number, epoch: number, env: ShardEnv, create: (timers: TimerSink<E>) => M) {
    this.partition = partition;
    this.epoch = epoch;
    this.env = env;
    this.timers = new Timers<E>(env.clock, (event, claim) => this.expire(event, claim));
    this.machine = create(this.timers);
  }

  /** The response at once where that is possible. Throws or rejects with KafkaError. */
  write<T>(subject: string, operation: Operation<M, R, T>): T | Promise<T> {
    const turns = this.busy.get(subject);
    if (turns === undefined) return this.run(subject, operation(this.machine, this.env.clock.nowMs()));
    return this.waitTurn(turns, subject, operation);
  }

  /** Timers stop, and whoever waits is refused. */
  close(): void {
    const wasLoaded = this.state === 'active';
    this.state = 'closed';
    this.timers.cancelAll();
    const moved = new KafkaError('NOT_COORDINATOR');
    for (const refuse of this.waiting) refuse(moved);
    if (wasLoaded) this.machine.unloaded();
  }

  /** Writes, replays and goes on as far as that is possible without waiting. */
  private run<T>(subject: string, first: Outcome<R, T>): T | Promise<T> {
    let outcome = first;
    while (true) {
      if (writes(outcome)) {
        const end = this.append(outcome);
        if (typeof end !== 'number') return this.finishLater(subject, outcome, end);
        this.replay(outcome, end);
      }
      if (outcome.next === undefined) return outcome.response;
      outcome = outcome.next(this.env.clock.nowMs());
    }
  }

  private append<T>(outcome: Outcome<R, T>): number | Promise<number> {
    try {
      const nowMs = this.env.clock.nowMs();
      if (outcome.marker !== undefined) return this.env.log.appendMarker(this.partition, outcome.marker, nowMs);
      const records = outcome.records.map((record) => this.machine.encode(record));
      return this.env.log.append(this.partition, records, nowMs, outcome.within);
    } catch (error) {
      throw this.notWritten(outcome, error);
    }
  }

  private notWritten<T>(outcome: Outcome<R, T>, error: unknown): KafkaError {
    const reason = asKafkaError(error);
    if (this.state === 'active') outcome.failed?.(reason, this.env.clock.nowMs());
    return reason;
  }

  private replay<T>({ records, within, marker }: Outcome<R, T>, endOffset: number): void {
    const first = endOffset - records.length;
    for (let i = 0; i < records.length; i++) this.machine.replay(records[i], first + i, within ?? null);
    if (marker !== undefined) this.machine.ended?.(marker);
  }

  /** The subject is busy until the operation is done; the caller waits no longer than the commit timeout. */
  private finishLater<T>(subject: string, outcome: Outcome<R, T>, end: Promise<number>): Promise<T> {
    const turns: Turn[] = [];
    this.busy.set(subject, turns);
    const finished = this.finish(outcome, end).finally(() => {
      this.busy.delete(subject);
      this.takeTurns(subject, turns);
    });
    return this.limited((resolve, reject) => finished.then(resolve, reject));
  }

  private async finish<T>(first: Outcome<R, T>, firstEnd: Promise<number>): Promise<T> {
    let outcome = first;
    let end: number | Promise<number> | null = firstEnd;
    while (true) {
      if (end !== null) this.replay(outcome, await this.committed(outcome, end));
      if (outcome.next === undefined) return outcome.response;
      outcome = outcome.next(this.env.clock.nowMs());
      end = writes(outcome) ? this.append(outcome) : null;
    }
  }

  private async committed<T>(outcome: Outcome<R, T>, end: number | Promise<number>): Promise<number> {
    let offset: number;
    try {
      offset = await end;
    } catch (error) {
      throw this.notWritten(outcome, error);
    }
    if (this.state !== 'active') throw new KafkaError('NOT_COORDINATOR');
    return offset;
  }

  /** Lets those who waited for the subject go on, until one of them makes it busy again. */
  private takeTurns(subject: string, turns: Turn[]): void {
    while (turns.length > 0 && this.state === 'active') {
      const turn = turns.shift() as Turn;
      turn();
      const next = this.busy.get(subject);
      if (next !== undefined) {
        next.unshift(...turns);
        return;
      }
    }
  }

  private waitTurn<T>(turns: Turn[], subject: string, operation: Operation<M, R, T>): Promise<T> {
    return this.limited((resolve, reject, isOver) => {
      turns.push(() => {
        if (isOver()) return;
        try {
          const response = this.run(subject, operation(this.machine, this.env.clock.nowMs()));
          Promise.resolve(response).then(resolve, reject);
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /** A promise that is refused when the commit timeout passes or the shard closes. */
  private limited<T>(
    start: (resolve: (value: T) => void, reject: (error: unknown) => void, isOver: () => boolean) => void,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let over = false;
      const end = () => {
        over = true;
        timeout.cancel();
        this.waiting.delete(refuse);
      };
      const refuse = (error: unknown) => {
        end();
        reject(error);
      };
      const timeout = this.env.clock.after(this.env.commitTimeoutMs(), () =>
        refuse(new KafkaError('REQUEST_TIMED_OUT')),
      );
      this.waiting.add(refuse);
      start(
        (value) => {
          end();
          resolve(value);
        },
        refuse,
        () => over,
      );
    });
  }

  private expire(event: E, claim: () => boolean): void {
    const failed = (error: unknown) => {
      if (this.state !== 'active') return;
      this.env.logger.error({ err: error, partition: this.partition, event }, 'a timer of the coordinator failed');
    };
    try {
      const done = this.write(this.machine.subjectOf(event), (machine, nowMs) =>
        claim() ? machine.expired(event, nowMs) : NOTHING,
      );
      if (done instanceof Promise) done.catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}

const writes = <R, T>({ records, marker }: Outcome<R, T>): boolean => records.length > 0 || marker !== undefined;

const NOTHING = { records: [], response: undefined };
