/**
 * Transactions on a disk that fails (faulty-disk.ts), driven by a seed: producers of both protocols begin, write, commit offsets, commit,
 * abort, are fenced and time out; the logs of the coordinators are compacted, processes are killed and the power goes. What consumers see
 * is held against what the producers were told (transaction-model.ts).
 */
import { encodeBatch } from '../../protocol/records/encode.ts';
import { MetadataImage } from '../../src/controller/image.ts';
import type { Eventually } from '../../src/coordinator/eventually.ts';
import { GroupCoordinator } from '../../src/group/group-coordinator.ts';
import { InternalTopicLog } from '../../src/node/internal-log.ts';
import { assembleTransactions, type Transactions } from '../../src/node/transactions.ts';
import { AppendError } from '../../src/partition/append-result.ts';
import { Partition } from '../../src/partition/partition.ts';
import type { Partitions } from '../../src/partition/partitions.ts';
import { ProducerIds } from '../../src/partition/producer-ids.ts';
import { PartitionSet } from '../../src/transaction/coordinator/partition-set.ts';
import type { ClientSupport, Verified } from '../../src/transaction/partition/verification.ts';
import { DEFAULT_LOG_CONFIG, DiskError, LogDir, LogError, LogResources } from '../../storage/index.ts';
import { brokerConfig } from '../config/samples.ts';
import { CollectingLogger } from '../support/loggers.ts';
import { MemoryPersister } from '../support/memory-persister.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { FaultyDisk } from './faulty-disk.ts';
import { ensure } from './invariant.ts';
import { SimulatedCompactor, settled } from './simulated-compactor.ts';
import { type ModelTransaction, TransactionModel } from './transaction-model.ts';

const STEPS = 120;
const OFFSETS = '__consumer_offsets';
const STATE = '__transaction_state';
const CALLER = { clientId: 'client', clientHost: '/127.0.0.1', apiVersion: 5 };
const TOPIC = 't';
const PARTITIONS = 3;
const IDS = ['a', 'b', 'c'];
const TIMEOUT_MS = 5000;

const OPERATIONS = [
  [12, 'begin'],
  [40, 'write'],
  [12, 'commitOffset'],
  [14, 'commit'],
  [8, 'abort'],
  [6, 'zombie'],
  [3, 'wait'],
  [6, 'look'],
  [4, 'compact'],
  [3, 'finishPool'],
  [2, 'failSomething'],
  [3, 'dieSoon'],
  [2, 'restartAfterKill'],
  [2, 'restartAfterPowerCut'],
] as const;
const TOTAL_WEIGHT = OPERATIONS.reduce((sum, [weight]) => sum + weight, 0);

/** A client with a transactional id, from its InitProducerId on. */
interface Incarnation {
  readonly transactionalId: string;
  readonly isNew: boolean;
  producerId: number;
  producerEpoch: number;
  readonly sequences: Map<number, number>;
  transaction: ModelTransaction | null;
  /** A request of it is on its way, failed, or got no answer: it may do nothing but begin anew. */
  busy: boolean;
}

export class TransactionSimulation {
  readonly #random: SeededRandom;
  readonly #disk: FaultyDisk;
  readonly #trace: (line: string) => void;
  readonly #clock = new VirtualClock();
  readonly #model = new TransactionModel();
  readonly #current = new Map<string, Incarnation>();
  /** Those whose successor has its epoch. */
  readonly #zombies: Incarnation[] = [];
  #dir!: LogDir;
  #partitions: Partition[] = [];
  #offsets!: Partition;
  #groups!: GroupCoordinator;
  #parts!: Transactions;
  #compactor!: SimulatedCompactor;
  #process = 0;
  #nextProducerId = 0;
  #values = 0;
  #names = 0;
  #syncHasFailed = false;

  static async run(seed: number, trace: (line: string) => void = () => {}): Promise<void> {
    const simulation = new TransactionSimulation(seed, trace);
    await simulation.#start();
    for (let step = 0; step < STEPS; step++) await simulation.#step();
    await simulation.#finish();
  }

  private constructor(seed: number, trace: (line: string) => void) {
    this.#random = new SeededRandom(seed);
    this.#disk = new FaultyDisk(this.#random);
    this.#trace = trace;
  }

  /** A process: opens the logs, loads the coordinators. Throws DiskError or LogError where the disk does not let it. */
  async #start(): Promise<void> {
    const disk = this.#disk;
    const clock = this.#clock;
    const resources = new LogResources(disk, { maxOpenFiles: 4 + this.#random.int(8) });
    this.#dir = LogDir.open({ disk, resources, path: '/data', clock, unique: () => `u${this.#names++}` });
    const epoch = ++this.#process;
    const data = Array.from({ length: PARTITIONS }, (_, index) => this.#open(TOPIC, index, false));
    const [offsets, state] = [this.#open(OFFSETS, 0, true), this.#open(STATE, 0, true)];
    const all = [...data, offsets, state];
    const partitions = {
      get: (topic: string, index: number) => all.find((p) => p.topic === topic && p.index === index),
    } as unknown as Partitions;
    const config = brokerConfig({ 'transaction.abort.timed.out.transaction.cleanup.interval.ms': '1000' });
    const logger = new CollectingLogger();
    this.#groups = new GroupCoordinator({
      log: new InternalTopicLog(OFFSETS, partitions),
      clock,
      random: this.#random,
      logger,
      config: () => config,
      image: () => MetadataImage.EMPTY,
      partitionCount: () => 1,
      share: { persister: new MemoryPersister(), endOffset: () => ({ errorCode: 0, offset: 0 }) },
    });
    const topics = new Map(
      [TOPIC, OFFSETS, STATE].map((name) => [name, { partitions: all.filter((p) => p.topic === name) }]),
    );
    const image = { topic: (name: string) => topics.get(name), features: new Map([['transaction.version', 2]]) };
    this.#parts = assembleTransactions({
      partitions,
      groups: this.#groups,
      producerIds: new ProducerIds(async () => ({ firstProducerId: this.#nextProducerId++, size: 1 })),
      clock,
      logger,
      config: () => config,
      image: () => image as never,
    });
    this.#partitions = data;
    this.#offsets = offsets;
    this.#compactor = new SimulatedCompactor({
      disk,
      random: this.#random,
      clock,
      compacted: () =>
        [offsets, state]
          .filter(({ log }) => log.failure === null)
          .map(({ log, lastStableOffset }) => ({ log, highWatermark: lastStableOffset })),
      checkpointRecoveryPoint: () => this.#dir.checkpointRecoveryPoints(true),
      checkpoint: () => this.#dir.checkpointCleaner(),
    });
    await this.#done(this.#groups.onElected(0, epoch));
    await this.#done(this.#parts.transactions.onElected(0, epoch));
  }

  #open(topic: string, index: number, compact: boolean): Partition {
    // flush.messages: an answer says that what it is about outlasts a power cut
    const config = {
      ...DEFAULT_LOG_CONFIG,
      segmentBytes: 1500 + this.#random.int(2000),
      indexIntervalBytes: 200,
      cleanupPolicy: { delete: !compact, compact },
      minCleanableDirtyRatio: 0,
      flushMessages: 1,
    };
    const topicId = `${topic.replaceAll('_', '')}AAAAAAAAAAAAAAAAAAAAAAAA`.slice(0, 22);
    const log = this.#dir.openOrCreate(topic, index, topicId, config);
    const state = { leader: 1, leaderEpoch: this.#process, replicas: [1], isr: [1], directories: [] };
    return new Partition({ topic, topicId, index, log, config: brokerConfig().topic(), state });
  }

  async #step(): Promise<void> {
    await this.#clock.advance(this.#random.int(100));
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
    if (this.#disk.isDead || [...this.#dir.logs()].some((log) => log.failure !== null)) {
      await this.#restart(this.#random.pick(['killed', 'powerCut'] as const));
    }
  }

  /** The value when it has come; null where the process is gone, or the disk keeps it from coming. */
  async #done<T>(value: Eventually<T>): Promise<T | null> {
    const process = this.#process;
    let came: { value: T } | null = null;
    Promise.resolve(value).then(
      (v) => {
        came = { value: v };
      },
      () => undefined,
    );
    for (let turn = 0; turn < 40 && came === null && !this.#disk.isDead; turn++) {
      await settled();
      this.#disk.poolRuns = true;
      this.#disk.finishPool();
    }
    await settled();
    return process === this.#process ? ((came as { value: T } | null)?.value ?? null) : null;
  }

  // Operations

  /** A client takes a transactional id, whoever has it. */
  async begin(): Promise<void> {
    await this.#begin(this.#random.pick(IDS));
  }

  async #begin(transactionalId: string): Promise<boolean> {
    const before = this.#current.get(transactionalId);
    // from now on it may be fenced at any time
    if (before !== undefined) before.busy = true;
    const request = { transactionalId, timeoutMs: TIMEOUT_MS, expected: null };
    const result = await this.#done(this.#parts.transactions.initProducerId(request));
    this.#trace(`init ${transactionalId}: ${JSON.stringify(result)}`);
    if (result === null || result.errorCode !== 0) return false;
    if (before !== undefined) this.#zombies.push(before);
    const { producerId, producerEpoch } = result;
    const isNew = this.#random.int(2) === 0;
    const incarnation = { transactionalId, isNew, producerId: Number(producerId), producerEpoch };
    this.#current.set(transactionalId, { ...incarnation, sequences: new Map(), transaction: null, busy: false });
    return true;
  }

  #some(): Incarnation | null {
    const able = [...this.#current.values()].filter(({ busy }) => !busy);
    return able.length === 0 ? null : this.#random.pick(able);
  }

  async write(): Promise<void> {
    const incarnation = this.#some();
    if (incarnation !== null) await this.#write(incarnation, this.#random.int(PARTITIONS));
  }

  async #write(client: Incarnation, index: number): Promise<boolean> {
    client.transaction ??= this.#model.begin(client.transactionalId);
    client.busy = true;
    const partition = this.#partitions[index];
    const sequence = client.sequences.get(index) ?? 0;
    const value = `${client.transaction.name}:${this.#values++}`;
    const offset = await this.#done(this.#append(client, partition, sequence, value));
    this.#trace(`write ${value} to ${index} by ${client.transactionalId}/${client.producerEpoch}: ${offset}`);
    if (offset === null) return false;
    client.sequences.set(index, sequence + 1);
    client.transaction.written.push({ partition: index, value, offset });
    client.busy = false;
    return true;
  }

  /** The offset, null where it was refused. */
  async #append(client: Incarnation, partition: Partition, sequence: number, value: string): Promise<number | null> {
    const named = { topic: partition.topic, partition: partition.index };
    const verified = await this.#verify(client, partition, sequence, PartitionSet.of([named]));
    if (verified === null || 'errorCode' in verified) return null;
    const { producerId, producerEpoch } = client;
    const records = [{ value: Buffer.from(value), timestamp: this.#clock.nowMs() }];
    const bytes = encodeBatch(records, { producerId, producerEpoch, baseSequence: sequence, transactional: true });
    try {
      const { lastOffset } = partition.append(bytes, 12, this.#clock.nowMs(), { verification: verified.guard });
      await partition.whenCommitted(lastOffset + 1);
      return lastOffset;
    } catch (error) {
      if (error instanceof AppendError || error instanceof LogError) return null;
      throw error;
    }
  }

  /** As clients of either protocol have it done: partitions are added first, or by what is appended. */
  async #verify(
    client: Incarnation,
    partition: Partition,
    sequence: number,
    partitions: PartitionSet,
  ): Promise<Verified | null> {
    const { transactionalId, producerId, producerEpoch, isNew } = client;
    const producer = { transactionalId, producerId, producerEpoch };
    if (!isNew) {
      const code = await this.#parts.transactions.addPartitions({ ...producer, partitions }, 0);
      if (code !== 0) return null;
    }
    const support: ClientSupport = isNew ? 'add-partition' : 'default';
    const [verified] = await this.#parts.transactionVerification.verify(
      producer,
      [{ partition, sequence }],
      support,
      false,
    );
    return verified;
  }

  async commitOffset(): Promise<void> {
    const client = this.#some();
    if (client === null) return;
    client.transaction ??= this.#model.begin(client.transactionalId);
    client.busy = true;
    const offset = this.#values++;
    const errorCode = await this.#done(this.#commitOffset(client, offset));
    this.#trace(`offset ${offset} by ${client.transactionalId}: ${errorCode}`);
    if (errorCode !== 0) return;
    client.transaction.offset = offset;
    client.busy = false;
  }

  async #commitOffset(client: Incarnation, offset: number): Promise<number> {
    const { transactionalId, producerId, producerEpoch } = client;
    const partition = { topic: OFFSETS, partition: 0 };
    const verified = await this.#verify(client, this.#offsets, -1, PartitionSet.of([partition]));
    if (verified === null || 'errorCode' in verified) return -1;
    const partitions = [
      { partitionIndex: 0, committedOffset: offset, committedLeaderEpoch: -1, committedMetadata: '' },
    ];
    const member = { generationId: -1, memberId: '', groupInstanceId: null };
    const request = { transactionalId, groupId: transactionalId, producerId, producerEpoch, ...member };
    const within = { producerId, producerEpoch, verification: verified.guard };
    const topics = [{ name: TOPIC, partitions }];
    const response = await this.#groups.commitTransactionalOffsets(CALLER, { ...request, topics }, within);
    return response.topics?.[0].partitions?.[0].errorCode ?? -1;
  }

  async commit(): Promise<void> {
    await this.#end('commit');
  }

  async abort(): Promise<void> {
    await this.#end('abort');
  }

  async #end(result: 'commit' | 'abort'): Promise<void> {
    const client = this.#some();
    if (client === null || client.transaction === null) return;
    client.busy = true;
    await this.#endOf(client, client.transaction, result);
  }

  async #endOf(client: Incarnation, transaction: ModelTransaction, result: 'commit' | 'abort'): Promise<boolean> {
    if (result === 'commit') transaction.commitSent = true;
    const { transactionalId, producerId, producerEpoch, isNew } = client;
    const clientTransactionVersion = isNew ? 2 : 0;
    const request = { transactionalId, producerId, producerEpoch, result, clientTransactionVersion };
    const ended = await this.#done(this.#parts.transactions.endTransaction(request));
    this.#trace(`${result} ${transaction.name} of ${transactionalId}: ${JSON.stringify(ended)}`);
    if (ended === null || ended.errorCode !== 0) return false;
    transaction.ended = result;
    client.transaction = null;
    if (isNew) {
      client.producerId = Number(ended.producerId);
      client.producerEpoch = ended.producerEpoch;
      client.sequences.clear();
    }
    client.busy = false;
    return true;
  }

  /** Somebody who has been fenced goes on, and must not come through. */
  async zombie(): Promise<void> {
    if (this.#zombies.length === 0) return;
    const zombie = this.#random.pick(this.#zombies);
    const known = {
      ...zombie,
      sequences: new Map(zombie.sequences),
      transaction: this.#model.begin(zombie.transactionalId),
    };
    const hasWritten = await this.#write(known, this.#random.int(PARTITIONS));
    ensure('a fenced producer does not write', !hasWritten, () => JSON.stringify(zombie.transactionalId));
    // to whoever is behind by one epoch this may look like a retry; what matters is that it commits nothing of others
    await this.#endOf(known, this.#model.begin(zombie.transactionalId), 'commit');
  }

  /** Long enough for transactions to time out. */
  async wait(): Promise<void> {
    await this.#clock.advance(TIMEOUT_MS + 1500);
    await this.finishPool();
  }

  look(): void {
    this.#model.check(this.#partitions);
    for (const id of IDS) this.#model.checkOffset(id, this.#offsetOf(id));
  }

  #offsetOf(groupId: string): number {
    const topics = [{ name: TOPIC, topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partitionIndexes: [0] }];
    const response = this.#groups.fetchOffsets({ groupId, memberId: null, memberEpoch: -1, topics }, false);
    if (response instanceof Promise) throw new Error('a read of committed offsets does not wait');
    ensure('the coordinator answers', (response.errorCode ?? 0) === 0, () => `error ${response.errorCode}`);
    return Number(response.topics?.[0].partitions?.[0].committedOffset);
  }

  compact(): void {
    this.#disk.poolRuns = this.#random.int(3) === 0;
    this.#compactor.start();
    this.#disk.finishPool();
  }

  async finishPool(): Promise<void> {
    this.#disk.poolRuns = true;
    for (let turn = 0; turn < 8; turn++) {
      this.#disk.finishPool();
      await settled();
    }
  }

  failSomething(): void {
    const kind = this.#random.pick(['read', 'write', 'sync'] as const);
    this.#disk.failAfter[kind] = this.#random.int(10);
    if (kind === 'sync') this.#syncHasFailed = true;
  }

  dieSoon(): void {
    this.#disk.dieAfter = this.#random.int(40);
  }

  restartAfterKill(): Promise<void> {
    return this.#restart('killed');
  }

  restartAfterPowerCut(): Promise<void> {
    return this.#restart('powerCut');
  }

  async #restart(how: 'killed' | 'powerCut'): Promise<void> {
    await settled();
    this.#parts.transactions.close();
    this.#groups.close();
    // After a failed sync the page cache shows what may never reach the disk.
    if (how === 'powerCut' || this.#syncHasFailed) this.#disk.powerCut();
    else this.#disk.kill();
    this.#disk.poolRuns = true;
    this.#syncHasFailed = false;
    await this.#start();
    this.#trace(`restarted: ${how}`);
    await this.finishPool();
    this.look();
  }

  /** No faults any more: every transaction comes to its end, by its timeout if not otherwise. */
  async #finish(): Promise<void> {
    await this.#restart('powerCut');
    for (let turn = 0; turn < 10; turn++) await this.wait();
    this.look();
    this.#model.checkFinal(this.#partitions, new Map(IDS.map((id) => [id, this.#offsetOf(id)])));
    for (const id of IDS) {
      ensure('a producer can begin again', await this.#begin(id), () => id);
    }
    this.#parts.transactions.close();
    this.#groups.close();
  }
}
