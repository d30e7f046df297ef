/**
 * Storage on a disk that fails (faulty-disk.ts), driven by a seed: logs are appended to, rolled, truncated, trimmed, flushed, compacted,
 * closed, deleted and made anew; processes are killed and the power goes between any two changes to the disk. After each restart the logs
 * are compared with models of them (partition-model.ts, compacted-model.ts, derived-checks.ts).
 *
 * A new operation is a method here and a line in OPERATIONS.
 */

import { checkFile } from '../../storage/checked-files.ts';
import { CLEAN_SHUTDOWN_FILE } from '../../storage/checkpoints.ts';
import { DiskError, type Log, type LogConfig, LogDir, LogError, LogResources } from '../../storage/index.ts';
import { DEFAULT_LOG_CONFIG } from '../../storage/log-config.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { CompactedModel } from './compacted-model.ts';
import { damageAndCheck } from './damage.ts';
import { checkDerived, checkIndexFiles } from './derived-checks.ts';
import { FaultyDisk } from './faulty-disk.ts';
import { ensure } from './invariant.ts';
import { parseBatches } from './model-batch.ts';
import { PartitionModel, type Restart } from './partition-model.ts';
import { SimulatedCompactor, settled } from './simulated-compactor.ts';
import { randomBatch, SimulatedProducer } from './simulated-producer.ts';

const DATA_DIR = '/data';
const STEPS = 120;
const EVER_FULL_BYTES = 40_000;

export interface SimulatedPartition {
  readonly topic: string;
  readonly config: LogConfig;
  topicId: string;
  model: PartitionModel;
  /** Of its records; 0: they have none. */
  readonly keys: number;
  producers: SimulatedProducer[];
  epoch: number;
  log: Log;
  /** The log has failed and waits for the next start. */
  isBroken: boolean;
}

/** With weights. */
const OPERATIONS = [
  [20, 'appendPlain'],
  [40, 'appendProduced'],
  [8, 'read'],
  [4, 'flush'],
  [2, 'flushSync'],
  [2, 'finishPool'],
  [3, 'truncate'],
  [3, 'deleteRecords'],
  [3, 'retain'],
  [3, 'checkpoint'],
  [6, 'compact'],
  [3, 'finishCompaction'],
  [2, 'deleteFiles'],
  [1, 'recreate'],
  [2, 'fillOrEmptyDisk'],
  [2, 'failSomething'],
  [3, 'reopenFailed'],
  [3, 'dieSoon'],
  [2, 'restartCleanly'],
  [2, 'restartAfterKill'],
  [2, 'restartAfterPowerCut'],
] as const;
const TOTAL_WEIGHT = OPERATIONS.reduce((sum, [weight]) => sum + weight, 0);

export class StorageSimulation {
  readonly disk: FaultyDisk;
  readonly #random: SeededRandom;
  readonly #partitions: SimulatedPartition[];
  #dir: LogDir;
  /** Of the process that runs now. */
  #compactor: SimulatedCompactor;
  readonly #trace: (line: string) => void;
  #nowMs = 1_000_000;
  #names = 0;
  #lastFailure = '';
  /** A sync has failed: what the page cache holds may never reach the disk, so that only a power cut shows what is there. */
  #syncHasFailed = false;

  /** `trace` gets a line for each operation. */
  static async run(seed: number, trace: (line: string) => void = () => {}): Promise<void> {
    const simulation = new StorageSimulation(seed, trace);
    for (let step = 0; step < STEPS; step++) await simulation.#step();
    await simulation.restart('powerCut');
    await simulation.restartCleanly();
  }

  private constructor(seed: number, trace: (line: string) => void) {
    this.#trace = trace;
    this.#random = new SeededRandom(seed);
    this.disk = new FaultyDisk(this.#random);
    this.#dir = this.#openDir();
    this.#partitions = ['synced', 'cached', 'tiny', 'compacted'].map((topic) => this.#newPartition(topic));
    this.#compactor = this.#newCompactor();
  }

  #openDir(): LogDir {
    const { disk } = this;
    const resources = new LogResources(disk, { maxOpenFiles: 2 + this.#random.int(6) });
    const clock = { nowMs: () => this.#nowMs };
    return LogDir.open({ disk, resources, path: DATA_DIR, clock, unique: () => `u${this.#names++}` });
  }

  #newPartition(topic: string): SimulatedPartition {
    const isCompacted = topic === 'compacted';
    const smallestBytes = { tiny: 1400, compacted: 800 }[topic] ?? 1500;
    const config = {
      ...DEFAULT_LOG_CONFIG,
      segmentBytes: topic === 'tiny' ? smallestBytes : smallestBytes + this.#random.int(isCompacted ? 1000 : 4000),
      // What is to be compacted has to be out of the active segment.
      segmentMs: isCompacted ? 200 + this.#random.int(2000) : DEFAULT_LOG_CONFIG.segmentMs,
      indexIntervalBytes: 100 + this.#random.int(400),
      segmentIndexBytes: 64 + this.#random.int(400),
      flushMessages: topic === 'synced' ? 1 : DEFAULT_LOG_CONFIG.flushMessages,
      fileDeleteDelayMs: this.#random.int(1000),
      retentionMs: -1,
      cleanupPolicy: { delete: !isCompacted, compact: isCompacted },
      deleteRetentionMs: this.#random.int(3000),
      minCompactionLagMs: this.#random.int(2) * this.#random.int(1000),
      minCleanableDirtyRatio: 0,
    };
    const topicId = this.#newTopicId();
    const log = this.#dir.openOrCreate(topic, 0, topicId, config);
    const keys = isCompacted ? 1 + this.#random.int(12) : 0;
    const [model, producers] = [this.#newModel(config), this.#newProducers(keys)];
    return { topic, config, topicId, log, keys, model, producers, epoch: 0, isBroken: false };
  }

  #newModel({ cleanupPolicy, deleteRetentionMs }: LogConfig): PartitionModel {
    return cleanupPolicy.compact ? new CompactedModel(deleteRetentionMs, () => this.#nowMs) : new PartitionModel();
  }

  #newCompactor(): SimulatedCompactor {
    const compacted = () => this.#partitions.filter(({ model, isBroken }) => model.hasGaps && !isBroken);
    const checkpointRecoveryPoint = () => this.#dir.checkpointRecoveryPoints(true);
    const checkpoint = () => this.#dir.checkpointCleaner();
    const clock = { nowMs: () => this.#nowMs };
    const { disk } = this;
    const random = this.#random;
    return new SimulatedCompactor({ disk, random, clock, compacted, checkpointRecoveryPoint, checkpoint });
  }

  #newTopicId(): string {
    return String(this.#names++).padStart(22, 'i');
  }

  #newProducers(keys: number): SimulatedProducer[] {
    return [0, 1, 2].map((i) => new SimulatedProducer(1000 * ++this.#names + i, i === 2, keys));
  }

  async #step(): Promise<void> {
    this.#nowMs += this.#random.int(200);
    let at = this.#random.int(TOTAL_WEIGHT);
    const [, name] = OPERATIONS.find(([weight]) => {
      at -= weight;
      return at < 0;
    }) as (typeof OPERATIONS)[number];
    const done = await this.#attempt(() => this[name]());
    if (this.#compactor.isRunning) await settled();
    this.#noteBroken();
    this.#noteDurable();
    this.#trace(`${name}${done ? '' : `: ${this.#lastFailure}`}${this.disk.isDead ? ', dead' : ''}`);
    if (this.disk.isDead) await this.#restartFromDeath();
  }

  /** What the disk makes fail is no fault of storage; all else is. */
  async #attempt(action: () => void | Promise<void>): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (error) {
      const isStorageError = error instanceof LogError && error.code === 'KAFKA_STORAGE_ERROR';
      if (!isStorageError && !(error instanceof DiskError)) throw error;
      this.#lastFailure = error.message;
      return false;
    }
  }

  #pick(): SimulatedPartition | null {
    // The last one, which is compacted, gets more than the others: there is more to go wrong.
    const at = Math.min(this.#random.int(this.#partitions.length + 2), this.#partitions.length - 1);
    const partition = this.#partitions[at];
    return partition.isBroken ? null : partition;
  }

  // Operations

  async appendPlain(): Promise<void> {
    const partition = this.#pick();
    if (partition === null) return;
    const one = () => randomBatch(this.#random, this.#nowMs, partition.keys);
    const batches = Array.from({ length: partition.keys > 0 ? 1 : 1 + this.#random.int(2) }, one);
    await this.#append(partition, Buffer.concat(batches), false);
  }

  async appendProduced(): Promise<void> {
    const partition = this.#pick();
    if (partition === null) return;
    const producer = this.#random.pick(partition.producers);
    const { batch, isMarker } = producer.next(this.#random, this.#nowMs);
    if (await this.#append(partition, batch, isMarker)) producer.answered(isMarker);
  }

  async #append(partition: SimulatedPartition, bytes: Buffer, isMarker: boolean): Promise<boolean> {
    const { log, model, epoch } = partition;
    const base = log.logEndOffset;
    const append = async (): Promise<void> => {
      const origin = isMarker ? 'coordinator' : 'client';
      const { firstOffset, duplicate } = log.appendAsLeader(bytes, epoch, origin);
      if (duplicate) {
        const known = model.batches.find((batch) => batch.base === firstOffset);
        const sequence = bytes.readInt32BE(53);
        ensure('duplicates are the same batch', known?.baseSequence === sequence, () => `${log.dir} at ${firstOffset}`);
      } else {
        model.expect(parseBatches(bytes));
      }
      if (log.isFlushDue) await this.#flushNow(log);
      model.acknowledged(duplicate ? [] : parseBatches(bytes));
    };
    const done = await this.#attempt(append);
    if (!done) {
      this.#trace(`append to ${log.dir} at ${base}: ${this.#lastFailure}`);
      this.#appendFailed(partition, bytes, base);
    }
    if (done && log.config.flushMessages === 1) {
      ensure('acknowledged is synced', log.recoveryPoint >= model.end, () => `${log.dir} at ${model.end}`);
    }
    return done;
  }

  /** What group commit does for flush.messages: the acknowledgement waits. */
  async #flushNow(log: Log): Promise<void> {
    this.disk.poolRuns = true;
    this.disk.finishPool();
    await log.flush();
  }

  /** What came back as failed may be in the log or not; the next start tells. */
  #appendFailed(partition: SimulatedPartition, bytes: Buffer, base: number): void {
    const { log, model } = partition;
    // Offsets are set before anything can fail but the producer state, which does not look at them.
    if (Number(bytes.readBigInt64BE(0)) !== base) return;
    if (model.end === base) model.expect(parseBatches(bytes));
    if (this.disk.isDead) return;
    partition.isBroken = log.failure !== null;
    if (!partition.isBroken) {
      model.failed(base);
      model.check(log);
    }
  }

  async read(): Promise<void> {
    const partition = this.#pick();
    if (partition === null) return;
    const { log, model } = partition;
    model.check(log);
    const offset = model.start + this.#random.int(model.end - model.start + 1);
    model.checkRead(log, offset);
  }

  flush(): void {
    const partition = this.#pick();
    if (partition === null) return;
    this.disk.poolRuns = this.#random.int(2) === 0;
    // What comes of it shows in the recovery point.
    partition.log.flush().catch(() => {});
  }

  async flushSync(): Promise<void> {
    await this.finishPool();
    this.#pick()?.log.flushSync();
  }

  async finishPool(): Promise<void> {
    this.disk.poolRuns = true;
    for (let turn = 0; turn < 10; turn++) {
      this.disk.finishPool();
      await Promise.resolve();
    }
    this.#noteBroken();
  }

  #noteBroken(): void {
    for (const partition of this.#partitions) if (partition.log.failure !== null) partition.isBroken = true;
  }

  #noteDurable(): void {
    for (const { log, model } of this.#partitions) if (model instanceof CompactedModel) model.noteDurable(log);
  }

  /** As a follower does when a new leader has other records. */
  truncate(): void {
    const partition = this.#pick();
    if (partition === null) return;
    const { log, model } = partition;
    const offset = model.boundary((bound) => this.#random.int(bound));
    model.willTruncate(offset);
    partition.epoch += 1;
    this.#startOver(partition);
    log.truncateTo(offset);
    model.truncated(offset);
    model.settled();
  }

  deleteRecords(): void {
    const partition = this.#pick();
    if (partition === null) return;
    const { log, model } = partition;
    const offset = model.start + this.#random.int(model.end - model.start + 1);
    log.advanceLogStartOffset(offset);
    model.start = offset;
    model.settled();
  }

  retain(): void {
    const partition = this.#pick();
    if (partition === null || partition.model.hasGaps) return;
    const { log, model } = partition;
    model.maxStart = model.end;
    log.updateConfig({ ...log.config, retentionBytes: this.#random.int(12_000) });
    log.deleteOldSegments(this.#nowMs, model.end);
    ensure('the log start stays', log.logStartOffset >= model.start, () => log.dir);
    model.start = log.logStartOffset;
    model.settled();
  }

  async checkpoint(): Promise<void> {
    await this.finishPool();
    const starts = this.#partitions.map(({ model }) => model.start);
    await this.#dir.checkpoint();
    for (const [i, { model }] of this.#partitions.entries()) model.durableStart = starts[i];
  }

  /** Begins a compaction, or goes on with it for a while. */
  compact(): void {
    this.disk.poolRuns = this.#random.int(3) === 0;
    this.#compactor.start();
    this.disk.finishPool();
  }

  async finishCompaction(): Promise<void> {
    if (this.#pick()?.model.hasGaps === true) this.#compactor.start();
    await this.#compactor.finish(() => this.finishPool());
  }

  async deleteFiles(): Promise<void> {
    await this.finishPool();
    await this.#dir.deleteDue(this.#nowMs);
  }

  /** The topic is deleted and made again under its name. */
  recreate(): void {
    const partition = this.#pick();
    if (partition === null) return;
    // Whose the folder is, is on disk with the first flush; before that a power cut may leave it to the next topic of the name.
    if (partition.log.logEndOffset > 0) partition.log.flushSync();
    this.#dir.delete(partition.log);
    partition.isBroken = true;
    partition.topicId = this.#newTopicId();
    partition.model = this.#newModel(partition.config);
    partition.producers = this.#newProducers(partition.keys);
    partition.epoch = 0;
    partition.log = this.#dir.openOrCreate(partition.topic, 0, partition.topicId, partition.config);
    partition.isBroken = false;
  }

  fillOrEmptyDisk(): void {
    const isFull = this.disk.capacityBytes < EVER_FULL_BYTES;
    const room = this.#random.int(3000);
    this.disk.capacityBytes = isFull ? Number.POSITIVE_INFINITY : this.disk.usedBytes() + room;
  }

  failSomething(): void {
    const kind = this.#random.pick(['read', 'write', 'sync'] as const);
    this.disk.failAfter[kind] = this.#random.int(10);
    if (kind === 'sync') this.#syncHasFailed = true;
  }

  /** A log that has failed goes on without a new process; what a failed sync has left out must not be missing later. */
  async reopenFailed(): Promise<void> {
    // One that was deleted, and could not be made anew on a full disk, is no log any more.
    const failed = this.#partitions.find(({ topic, log }) => log.failure !== null && this.#dir.get(topic, 0) === log);
    if (failed === undefined) return;
    await this.finishPool();
    const { recoveryPoint } = failed.log;
    failed.log = this.#dir.reopen(failed.log);
    failed.isBroken = false;
    this.disk.failAfter.read = Number.POSITIVE_INFINITY;
    failed.model.checkRestarted(failed.log, 'killed', recoveryPoint);
    checkDerived(failed.log, failed.model, Number.POSITIVE_INFINITY);
  }

  dieSoon(): void {
    this.disk.dieAfter = this.#random.int(30);
  }

  // Restarts

  async restartCleanly(): Promise<void> {
    await this.finishPool();
    await this.#compactor.stop(() => this.finishPool());
    const closed = await this.#attempt(() => this.#dir.close());
    if (this.disk.isDead) return;
    if (!closed || this.#syncHasFailed) return this.restart('powerCut');
    const isClean = this.disk.exists(`${DATA_DIR}/${CLEAN_SHUTDOWN_FILE}`);
    this.disk.failAfter.read = Number.POSITIVE_INFINITY;
    if (isClean) for (const { log } of this.#partitions) checkIndexFiles(this.disk, log.dir);
    // What was closed in an orderly way outlasts a power cut as well.
    await this.#reopen(null, isClean && this.#random.int(2) === 0 ? 'powerCut' : 'killed');
  }

  #restartFromDeath(): Promise<void> {
    return this.restart(this.#random.pick(['killed', 'powerCut'] as const));
  }

  restartAfterKill(): Promise<void> {
    return this.restart('killed');
  }

  restartAfterPowerCut(): Promise<void> {
    return this.restart('powerCut');
  }

  async restart(how: 'killed' | 'powerCut'): Promise<void> {
    const restart = this.#syncHasFailed ? 'powerCut' : how;
    await this.#reopen(restart, restart);
  }

  /** Ends the process. What it would have gone on with comes to nothing before the next one begins. */
  async #end(how: 'killed' | 'powerCut'): Promise<void> {
    if (how === 'powerCut') this.disk.powerCut();
    else this.disk.kill();
    this.disk.dieAfter = -1;
    await settled();
    this.disk.dieAfter = Number.POSITIVE_INFINITY;
  }

  /** `restart` is null after an orderly end; whether it was one for storage, too, the marker says. */
  async #reopen(restart: Exclude<Restart, 'clean'> | null, how: 'killed' | 'powerCut'): Promise<void> {
    const recoveryPoints = this.#partitions.map(({ log }) => log.recoveryPoint);
    await this.#end(how);
    this.disk.capacityBytes = Number.POSITIVE_INFINITY;
    this.disk.poolRuns = true;
    this.#syncHasFailed = false;
    if (restart !== null && this.#random.int(3) === 0) {
      damageAndCheck(this.disk, this.#random, DATA_DIR, this.#random.pick(this.#partitions));
    }
    if (this.#random.int(3) === 0) this.disk.dieAfter = this.#random.int(40);
    const opened = await this.#attempt(() => this.#openAll(restart, recoveryPoints));
    if (opened) return;
    ensure('every log opens again', this.disk.isDead, () => this.#lastFailure);
    const again = this.#random.pick(['killed', 'powerCut'] as const);
    await this.#end(again);
    await this.#openAll(
      restart === 'powerCut' || again === 'powerCut' ? 'powerCut' : (restart ?? 'killed'),
      recoveryPoints,
    );
  }

  #openAll(restart: Exclude<Restart, 'clean'> | null, recoveryPoints: readonly number[]): void {
    const vouchedBefore = this.disk.vouchedLocks;
    this.#dir = this.#openDir();
    const vouched = this.disk.vouchedLocks > vouchedBefore ? ', vouched for' : '';
    const how = this.#dir.wasClean ? 'clean' : (restart ?? 'killed');
    if (this.#random.int(2) === 0) this.#checkInAdvance();
    const logs = this.#partitions.map(({ topic, topicId, config }) =>
      this.#dir.openOrCreate(topic, 0, topicId, config),
    );
    this.disk.dieAfter = Number.POSITIVE_INFINITY;
    this.#compactor = this.#newCompactor();
    this.#trace(`restarted: ${how}${vouched}`);
    for (const [i, partition] of this.#partitions.entries()) {
      partition.log = logs[i];
      partition.isBroken = false;
      partition.model.checkRestarted(partition.log, how, recoveryPoints[i]);
      checkDerived(partition.log, partition.model, how === 'powerCut' ? recoveryPoints[i] : Number.POSITIVE_INFINITY);
      if (how === 'powerCut') this.#startOver(partition);
      partition.epoch += this.#random.int(2);
    }
  }

  /** As the threads of check-threads.ts do. */
  #checkInAdvance(): void {
    const window = Buffer.alloc(4096);
    const paths = this.#dir.filesToCheck();
    const checked = paths.map((path) => [path, checkFile(this.disk, path, window)] as const);
    if (checked.some(([, bytes]) => bytes > 0)) this.#trace('checked in advance');
    this.#dir.filesChecked(new Map(checked));
  }

  #startOver(partition: SimulatedPartition): void {
    partition.producers = this.#newProducers(partition.keys);
  }
}
