/**
 * The group coordinator over a log on a disk that fails (faulty-disk.ts), driven by a seed: offsets are committed, the log is compacted,
 * processes are killed and the power goes. Whatever is read of a group afterwards was committed last, or sent later and not answered.
 */

import { MetadataImage } from '../../src/controller/image.ts';
import { GroupCoordinator } from '../../src/group/group-coordinator.ts';
import { InternalTopicLog } from '../../src/node/internal-log.ts';
import { Partition } from '../../src/partition/partition.ts';
import type { Partitions } from '../../src/partition/partitions.ts';
import { DEFAULT_LOG_CONFIG, DiskError, type Log, LogDir, LogError, LogResources } from '../../storage/index.ts';
import { brokerConfig } from '../config/samples.ts';
import { CollectingLogger } from '../support/loggers.ts';
import { MemoryPersister } from '../support/memory-persister.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { FaultyDisk } from './faulty-disk.ts';
import { ensure } from './invariant.ts';
import { SimulatedCompactor, settled } from './simulated-compactor.ts';

const STEPS = 100;
const TOPIC = '__consumer_offsets';
const TOPIC_ID = 'offsetsoffsetsoffsetsA';
const CALLER = { clientId: 'c', clientHost: '/h', apiVersion: 8 };
const NONE = -1;

const OPERATIONS = [
  [40, 'commit'],
  [10, 'read'],
  [6, 'compact'],
  [4, 'checkpoint'],
  [4, 'finishPool'],
  [2, 'fillOrEmptyDisk'],
  [2, 'failSomething'],
  [3, 'dieSoon'],
  [2, 'restartAfterKill'],
  [2, 'restartAfterPowerCut'],
] as const;
const TOTAL_WEIGHT = OPERATIONS.reduce((sum, [weight]) => sum + weight, 0);

/** What a consumer group may find of one partition. */
interface Expected {
  committed: number;
  /** Sent after that and not answered, or refused: they may have got into the log all the same. */
  readonly unanswered: Set<number>;
}

export class CoordinatorSimulation {
  readonly #random: SeededRandom;
  readonly #disk: FaultyDisk;
  readonly #trace: (line: string) => void;
  readonly #clock = new VirtualClock();
  readonly #logger = new CollectingLogger();
  readonly #expected = new Map<string, Expected>();
  #dir!: LogDir;
  #log!: Log;
  #groups!: GroupCoordinator;
  #compactor!: SimulatedCompactor;
  #epoch = 0;
  #offsets = 0;
  #names = 0;
  #syncHasFailed = false;

  static async run(seed: number, trace: (line: string) => void = () => {}): Promise<void> {
    const simulation = new CoordinatorSimulation(seed, trace);
    await simulation.#start();
    for (let step = 0; step < STEPS; step++) await simulation.#step();
    await simulation.#restart('powerCut');
    simulation.#groups.close();
  }

  private constructor(seed: number, trace: (line: string) => void) {
    this.#random = new SeededRandom(seed);
    this.#disk = new FaultyDisk(this.#random);
    this.#trace = trace;
  }

  /** A process: opens the log, loads the coordinator. Throws DiskError or LogError where the disk does not let it. */
  async #start(): Promise<void> {
    const disk = this.#disk;
    const resources = new LogResources(disk, { maxOpenFiles: 2 + this.#random.int(6) });
    const clock = this.#clock;
    this.#dir = LogDir.open({ disk, resources, path: '/data', clock, unique: () => `u${this.#names++}` });
    // flush.messages: an answer says that the commit outlasts a power cut.
    const config = {
      ...DEFAULT_LOG_CONFIG,
      segmentBytes: 600 + this.#random.int(1000),
      indexIntervalBytes: 200,
      cleanupPolicy: { delete: false, compact: true },
      minCleanableDirtyRatio: 0,
      flushMessages: 1,
    };
    this.#log = this.#dir.openOrCreate(TOPIC, 0, TOPIC_ID, config);
    const state = { leader: 1, leaderEpoch: ++this.#epoch, replicas: [1], isr: [1], directories: [] };
    const broker = brokerConfig();
    const partition = new Partition({
      topic: TOPIC,
      topicId: TOPIC_ID,
      index: 0,
      log: this.#log,
      config: broker.topic(),
      state,
    });
    const partitions = { get: () => partition } as unknown as Partitions;
    this.#groups = new GroupCoordinator({
      log: new InternalTopicLog(TOPIC, partitions),
      clock,
      random: this.#random,
      logger: this.#logger,
      config: () => broker,
      image: () => MetadataImage.EMPTY,
      partitionCount: () => 1,
      share: { persister: new MemoryPersister(), endOffset: () => ({ errorCode: 0, offset: 0 }) },
    });
    const log = this.#log;
    this.#compactor = new SimulatedCompactor({
      disk,
      random: this.#random,
      clock,
      compacted: () => (log.failure === null ? [{ log, highWatermark: partition.highWatermark }] : []),
      checkpointRecoveryPoint: () => this.#dir.checkpointRecoveryPoints(true),
      checkpoint: () => this.#dir.checkpointCleaner(),
    });
    await this.#groups.onElected(0, this.#epoch);
    await this.finishPool();
  }

  async #step(): Promise<void> {
    await this.#clock.advance(this.#random.int(200));
    let at = this.#random.int(TOTAL_WEIGHT);
    const [, name] = OPERATIONS.find(([weight]) => {
      at -= weight;
      return at < 0;
    }) as (typeof OPERATIONS)[number];
    try {
      await this[name]();
    } catch (error) {
      if (!(error instanceof DiskError) && !(error instanceof LogError)) throw error;
      this.#trace(`${name}: ${error.message}`);
    }
    await settled();
    this.#trace(`${name}${this.#disk.isDead ? ', dead' : ''}`);
    if (this.#disk.isDead || this.#log.failure !== null) {
      await this.#restart(this.#random.pick(['killed', 'powerCut'] as const));
    }
  }

  // Operations

  commit(): void {
    const groupId = `g${this.#random.int(4)}`;
    const partitionIndex = this.#random.int(3);
    const committedOffset = this.#offsets++;
    const expected = this.#expectedOf(groupId, partitionIndex);
    expected.unanswered.add(committedOffset);
    this.#disk.poolRuns = this.#random.int(4) > 0;
    const partition = { partitionIndex, committedOffset, committedLeaderEpoch: -1, committedMetadata: '' };
    const identity = { generationIdOrMemberEpoch: -1, memberId: '', groupInstanceId: null, retentionTimeMs: -1 };
    const topics = [{ name: 't', topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partitions: [partition] }];
    const epoch = this.#epoch;
    const answer = Promise.resolve(this.#groups.commitOffsets(CALLER, { groupId, ...identity, topics }));
    // It may wait for the disk, and of a process that dies it never comes.
    answer.then((response) => {
      // An answer of a process that is gone reaches nobody.
      if (epoch !== this.#epoch || response.topics?.[0].partitions?.[0].errorCode !== 0) return;
      for (const older of expected.unanswered) if (older <= committedOffset) expected.unanswered.delete(older);
      expected.committed = committedOffset;
    });
  }

  #expectedOf(groupId: string, partition: number): Expected {
    const key = `${groupId} ${partition}`;
    const known = this.#expected.get(key) ?? { committed: NONE, unanswered: new Set() };
    this.#expected.set(key, known);
    return known;
  }

  read(): void {
    this.#check(false);
  }

  /** `isFinal`: nothing is on its way any more, so what is found is what counts from now on. */
  #check(isFinal: boolean): void {
    for (const [key, expected] of this.#expected) {
      const [groupId, partition] = key.split(' ');
      const topics = [{ name: 't', topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partitionIndexes: [Number(partition)] }];
      const group = { groupId, memberId: null, memberEpoch: -1, topics };
      const response = this.#groups.fetchOffsets(group, false);
      if (response instanceof Promise) throw new Error('a read of committed offsets does not wait');
      ensure('the coordinator answers', (response.errorCode ?? 0) === 0, () => `${key}: error ${response.errorCode}`);
      const found = Number(response.topics?.[0].partitions?.[0].committedOffset);
      const isKnown = found === expected.committed || expected.unanswered.has(found);
      ensure('what was committed is there', isKnown, () => {
        return `${key}: ${found}, committed ${expected.committed}, not answered ${[...expected.unanswered]}`;
      });
      if (!isFinal) continue;
      expected.committed = found;
      expected.unanswered.clear();
    }
  }

  compact(): void {
    this.#disk.poolRuns = this.#random.int(3) === 0;
    this.#compactor.start();
    this.#disk.finishPool();
  }

  async checkpoint(): Promise<void> {
    await this.finishPool();
    await this.#dir.checkpoint();
  }

  async finishPool(): Promise<void> {
    this.#disk.poolRuns = true;
    for (let turn = 0; turn < 5; turn++) {
      this.#disk.finishPool();
      await settled();
    }
  }

  fillOrEmptyDisk(): void {
    const isFull = this.#disk.capacityBytes !== Number.POSITIVE_INFINITY;
    this.#disk.capacityBytes = isFull ? Number.POSITIVE_INFINITY : this.#disk.usedBytes() + this.#random.int(2000);
  }

  failSomething(): void {
    const kind = this.#random.pick(['read', 'write', 'sync'] as const);
    this.#disk.failAfter[kind] = this.#random.int(10);
    if (kind === 'sync') this.#syncHasFailed = true;
  }

  dieSoon(): void {
    this.#disk.dieAfter = this.#random.int(30);
  }

  restartAfterKill(): Promise<void> {
    return this.#restart('killed');
  }

  restartAfterPowerCut(): Promise<void> {
    return this.#restart('powerCut');
  }

  async #restart(how: 'killed' | 'powerCut'): Promise<void> {
    await settled();
    this.#groups.close();
    // After a failed sync the page cache shows what may never reach the disk.
    if (how === 'powerCut' || this.#syncHasFailed) this.#disk.powerCut();
    else this.#disk.kill();
    this.#disk.capacityBytes = Number.POSITIVE_INFINITY;
    this.#disk.poolRuns = true;
    this.#syncHasFailed = false;
    await this.#start();
    this.#trace(`restarted: ${how}`);
    this.#check(true);
  }
}
