import { KafkaError } from '../../protocol/errors.ts';
import { type Operation, Shard, type ShardEnv } from './shard.ts';
import type { StateMachine } from './state-machine.ts';
import type { TimerSink } from './timers.ts';

export interface RuntimeOptions<M, E> extends ShardEnv {
  /** A state machine with no state yet, for a partition that is about to be loaded because this node leads it in `epoch`. */
  create(partition: number, timers: TimerSink<E>, epoch: number): M;
}

/**
 * What the coordinators of groups and of transactions share: one state machine per partition of the internal topic that
 * this node leads, loaded by replay when leadership comes and dropped when it goes.
 */
export class CoordinatorRuntime<M extends StateMachine<R, E>, R, E> {
  private readonly options: RuntimeOptions<M, E>;
  private readonly shards = new Map<number, Shard<M, R, E>>();
  private closed = false;

  constructor(options: RuntimeOptions<M, E>) {
    this.options = options;
  }

  /** Leadership of a partition has come in `epoch`: loads it. The same or an older epoch changes nothing. */
  load(partition: number, epoch: number): void | Promise<void> {
    if (this.closed) return;
    const before = this.shards.get(partition);
    if (before !== undefined) {
      if (before.epoch >= epoch) return;
      before.close();
    }
    const { options } = this;
    const shard = new Shard<M, R, E>(partition, epoch, options, (timers) => options.create(partition, timers, epoch));
    this.shards.set(partition, shard);
    return this.fill(shard);
  }

  /** Leadership has gone, in `epoch` where it is known: drops the partition's state unless it is of a later epoch. */
  unload(partition: number, epoch?: number): void {
    const shard = this.shards.get(partition);
    if (shard === undefined || (epoch !== undefined && shard.epoch > epoch)) return;
    this.shards.delete(partition);
    shard.close();
  }

  /** Unloads everything; from now on COORDINATOR_NOT_AVAILABLE. */
  close(): void {
    this.closed = true;
    for (const shard of this.shards.values()) shard.close();
    this.shards.clear();
  }

  isActive(partition: number): boolean {
    return this.shards.get(partition)?.state === 'active';
  }

  /**
   * Runs an operation that may write. The response comes when its records are committed: at once where the log commits at
   * once. Throws or rejects with KafkaError.
   */
  write<T>(partition: number, subject: string, operation: Operation<M, R, T>): T | Promise<T> {
    return this.active(partition).write(subject, operation);
  }

  /** Asks for committed state. Throws KafkaError. */
  read<T>(partition: number, query: (machine: M) => T): T {
    return query(this.active(partition).machine);
  }

  /** The partitions whose state is here or about to be. */
  partitions(): Iterable<number> {
    return this.shards.keys();
  }

  private fill(shard: Shard<M, R, E>): void | Promise<void> {
    const startMs = this.options.clock.monotonicMs();
    let count = 0;
    const done = () => this.filled(shard, count, this.options.clock.monotonicMs() - startMs);
    try {
      const reading = this.options.log.read(shard.partition, (record) => {
        if (shard.state !== 'loading') return;
        shard.machine.load(record);
        count++;
      });
      if (reading instanceof Promise) return reading.then(done, (error) => this.notFilled(shard, error));
      done();
    } catch (error) {
      this.notFilled(shard, error);
    }
  }

  private filled(shard: Shard<M, R, E>, count: number, tookMs: number): void {
    if (shard.state !== 'loading') return;
    shard.state = 'active';
    shard.machine.loaded(this.options.clock.nowMs());
    this.options.logger.debug({ partition: shard.partition, epoch: shard.epoch, count, tookMs }, 'coordinator loaded');
  }

  private notFilled(shard: Shard<M, R, E>, error: unknown): void {
    if (shard.state !== 'loading') return;
    shard.state = 'failed';
    this.options.logger.error({ partition: shard.partition, err: error }, 'the coordinator could not be loaded');
  }

  private active(partition: number): Shard<M, R, E> {
    if (this.closed) throw new KafkaError('COORDINATOR_NOT_AVAILABLE');
    const shard = this.shards.get(partition);
    if (shard?.state === 'active') return shard;
    throw new KafkaError(shard?.state === 'loading' ? 'COORDINATOR_LOAD_IN_PROGRESS' : 'NOT_COORDINATOR');
  }
}
