import { baseOffset } from '../../protocol/records/batch.ts';
import type { Log } from '../../storage/index.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import type { Clock, Logger } from '../env.ts';
import type { Partition } from '../partition/partition.ts';
import type { FutureReplica, ReplicaMoves } from '../partition/replica-moves.ts';
import type { LogDirectories } from './log-directories.ts';

/** Copied before others have their turn. */
const COPY_BYTES = 256 * 1024;
/** What may be left to copy when the logs change places, in one go. */
const LAST_COPY_BYTES = 4 * COPY_BYTES;
const RETRY_MS = 10;
/** The throttle may be changed while a move waits for it. */
const THROTTLE_CHECK_MS = 200;

export interface ReplicaMoverOptions {
  readonly logs: LogDirectories;
  readonly clock: Clock;
  readonly logger: Logger;
  config(): BrokerConfig;
  /** The replica lies in another directory now. */
  onMoved(partition: Partition): void;
}

interface Move {
  readonly partition: Partition;
  readonly path: string;
  readonly future: Log;
  isOff: boolean;
}

/**
 * Moves replicas between log directories while they serve (KIP-113): a future log in the other directory is filled as a follower
 * would be; once it has all that the current one has, on disk, the two change places between two requests.
 */
export class ReplicaMover implements ReplicaMoves {
  private readonly options: ReplicaMoverOptions;
  private readonly moves = new Map<Partition, Move>();
  private stopped = false;

  constructor(options: ReplicaMoverOptions) {
    this.options = options;
  }

  /** Goes on with what the last process did not finish; what is of no use any more is deleted. */
  resume(find: (topic: string, partition: number) => Partition | undefined): void {
    for (const { path, topic, partition: index } of this.options.logs.unfinishedMoves()) {
      const partition = find(topic, index);
      if (partition === undefined) this.options.logs.discardFuture(path, topic, index);
      else this.alter(partition, path);
    }
  }

  alter(partition: Partition, path: string): void {
    const before = this.moves.get(partition);
    if (before?.path === path) return;
    if (before !== undefined) this.callOff(before);
    const { logs, logger } = this.options;
    const { topic, index } = partition;
    if (logs.pathOf(partition.log) === path) {
      logs.discardFuture(path, topic, index);
      return;
    }
    const move = { partition, path, future: logs.openFuture(partition.log, path), isOff: false };
    partition.log.isCleaningPaused = true;
    this.moves.set(partition, move);
    logger.info({ topic, partition: index, path }, 'moving the replica to another log directory');
    void this.run(move);
  }

  *underWay(): Iterable<FutureReplica> {
    for (const { partition, path, future } of this.moves.values()) {
      const { topic, index, log } = partition;
      const offsetLag = Math.max(0, log.logEndOffset - future.logEndOffset);
      yield { topic, index, path, sizeBytes: future.sizeBytes, offsetLag };
    }
  }

  /** The moves stop where they are; the next start goes on with them. */
  stop(): void {
    this.stopped = true;
  }

  private callOff(move: Move): void {
    move.isOff = true;
    move.partition.log.isCleaningPaused = false;
    this.moves.delete(move.partition);
    this.options.logs.discardFuture(move.path, move.partition.topic, move.partition.index);
  }

  private isOver({ isOff, partition }: Move): boolean {
    return this.stopped || isOff || partition.isDeleted || partition.isOffline;
  }

  private async run(move: Move): Promise<void> {
    const { topic, index } = move.partition;
    try {
      while (!this.isOver(move)) {
        const copiedBytes = copySome(move);
        if (copiedBytes > 0) await this.pause(move, copiedBytes);
        else if (await this.finished(move)) return;
        else await this.sleep(RETRY_MS);
      }
      if (!move.isOff && !this.stopped) this.callOff(move);
    } catch (err) {
      this.options.logger.error({ err, topic, partition: index, path: move.path }, 'the replica could not be moved');
      if (!move.isOff && !this.stopped) this.callOff(move);
    }
  }

  /** replica.alter.log.dirs.io.max.bytes.per.second holds for all moves together; at the least, the others have their turn. */
  private async pause(move: Move, copiedBytes: number): Promise<void> {
    const { clock, config } = this.options;
    const beganMs = clock.monotonicMs();
    for (let leftMs = 0; ; ) {
      await this.sleep(Math.min(leftMs, THROTTLE_CHECK_MS));
      const bytesPerSecond = config().throttle('replica.alter.log.dirs.io.max.bytes.per.second');
      leftMs = beganMs + (copiedBytes * this.moves.size * 1000) / bytesPerSecond - clock.monotonicMs();
      if (leftMs <= 0 || this.isOver(move)) return;
    }
  }

  private sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.options.clock.after(delayMs, resolve));
  }

  /**
   * Makes the future log durable, copies what has come meanwhile, and puts it in the place of the current one. The second flush leaves little
   * to the one at the end, which nothing may come between: what arrived while it ran.
   */
  private async finished(move: Move): Promise<boolean> {
    for (let flushes = 0; flushes < 2; flushes++) {
      await move.future.flush();
      if (this.isOver(move) || !copyRest(move)) return false;
    }
    return this.changePlaces(move);
  }

  private changePlaces({ partition, path, future }: Move): boolean {
    const { log, topic, index } = partition;
    if (future.logEndOffset !== log.logEndOffset || !partition.isSettled) return false;
    if (future.latestEpoch < log.latestEpoch) future.assignEpoch(log.latestEpoch);
    this.moves.delete(partition);
    partition.replaceLog(this.options.logs.changePlaces(log, future, path));
    this.options.logger.info({ topic, partition: index, path }, 'the replica has moved');
    this.options.onMoved(partition);
    return true;
  }
}

/** Brings the future log some way nearer to the current one; gives the bytes, 0 where it has all. */
function copySome({ partition: { log }, future }: Move): number {
  if (future.logEndOffset < log.logStartOffset || future.sizeBytes === 0) begin(log, future);
  const upTo = log.logEndOffset;
  if (future.logEndOffset >= upTo) return 0;
  const { records } = log.read(future.logEndOffset, COPY_BYTES, { upTo, minOneBatch: true });
  future.appendAsFollower(records);
  return records.length;
}

/** False where more has come than may be copied in one go. */
function copyRest(move: Move): boolean {
  for (let copied = 0; copied <= LAST_COPY_BYTES; ) {
    const more = copySome(move);
    if (more === 0) return true;
    copied += more;
  }
  return false;
}

/** The first batch may begin below the log start offset. */
function begin(log: Log, future: Log): void {
  const { logStartOffset, logEndOffset } = log;
  const { records } = log.read(logStartOffset, 1, { upTo: logEndOffset, minOneBatch: true });
  const start = records.length === 0 ? logEndOffset : baseOffset(records, 0);
  if (future.logEndOffset !== start) future.truncateFullyAndStartAt(start, logStartOffset);
}
