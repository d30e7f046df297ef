import { ErrorCode } from '../../protocol/errors.ts';
import { batch } from '../storage/batches.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { type Member, ShareBroker } from './share-broker.ts';

const READERS_MAX = 4;
const LOCK_MS = 15_000;
/** Answers reach their readers a little late. */
const SLACK_MS = 1000;
const DELIVERIES_MAX = 5;
/** As long as a client waits for an answer. */
const ANSWER_MS = 30_000;
const DRAIN_ROUNDS = 500;

const ACCEPT = 1;
const RELEASE = 2;
const REJECT = 3;

/** What the readers of a group know of one record. */
interface Known {
  /** Whose it is, and until when. */
  reader: Reader | null;
  lockedUntilMs: number;
  deliveries: number;
  /** The broker has confirmed that it is accepted or rejected. */
  isDone: boolean;
}

/**
 * The records of one share partition in virtual time, from the share fetches of members to the log of the share coordinator, the same for
 * the same seed: records come, members fetch, acknowledge, stall until their locks are over, leave and die, writes of the coordinator wait and
 * fail, the broker is killed and reads its state back. What is held against it:
 * - no record is with two members at a time;
 * - what was confirmed as accepted or rejected never comes again;
 * - the broker counts no more deliveries of a record than group.share.delivery.count.limit;
 * - in the end every record was delivered, and is done.
 */
export class ShareRecordsSimulation {
  readonly random: SeededRandom;
  readonly broker = new ShareBroker();
  readonly violations: string[] = [];
  readonly count = { delivered: 0, confirmed: 0, kills: 0 };
  readonly records: Known[] = [];
  private readers: Reader[] = [];
  private named = 0;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.broker.overrides.set('share.record.lock.duration.ms', String(LOCK_MS));
  }

  async run(ms: number): Promise<void> {
    await this.broker.begin();
    for (let left = ms; left > 0; left -= 100) {
      this.disturb();
      await this.broker.clock.advance(100);
    }
    await this.drain();
    for (const [offset, { deliveries }] of this.records.entries()) {
      if (deliveries === 0) this.violations.push(`record ${offset} was never delivered`);
    }
  }

  /** What may happen in a tenth of a second. */
  private disturb(): void {
    const { random, broker, readers } = this;
    if (random.int(3) === 0) this.append(1 + random.int(6));
    if (readers.length < READERS_MAX && random.int(20) === 0) this.add();
    const some = readers[random.int(Math.max(1, readers.length))];
    if (some !== undefined && random.int(80) === 0) some.stallMs = random.int(2 * LOCK_MS);
    if (some !== undefined && random.int(100) === 0) this.remove(some, random.int(2) === 0);
    if (random.int(150) === 0) this.kill();
    if (random.int(broker.log.mode === 'sync' ? 60 : 15) === 0)
      broker.log.mode = broker.log.mode === 'sync' ? 'held' : 'sync';
    if (random.int(2) === 0) broker.log.commit(random.int(4));
    if (random.int(100) === 0) broker.log.fail();
  }

  private append(count: number): void {
    this.broker.partition.appendAsCoordinator(batch(count));
    for (let i = 0; i < count; i++) this.records.push({ reader: null, lockedUntilMs: 0, deliveries: 0, isDone: false });
  }

  private add(): void {
    const reader = new Reader(this, this.broker.member(`m${this.named++}`));
    this.readers.push(reader);
    reader.run().catch((error) => this.violations.push(String(error?.stack ?? error)));
  }

  private remove(reader: Reader, says: boolean): void {
    this.readers.splice(this.readers.indexOf(reader), 1);
    reader.end(says);
  }

  private kill(): void {
    this.count.kills++;
    this.broker.kill();
    for (const reader of this.readers) reader.disconnected();
    for (const record of this.records) record.reader = null;
  }

  /** A member's connection is gone, or it has left: its records are anybody's. */
  released(reader: Reader): void {
    for (const record of this.records) if (record.reader === reader) record.reader = null;
  }

  delivered(reader: Reader, offset: number, deliveryCount: number): void {
    const record = this.records[offset];
    const nowMs = this.broker.clock.nowMs();
    if (record === undefined) return void this.violations.push(`record ${offset} is not in the log`);
    if (record.isDone) this.violations.push(`record ${offset} comes again`);
    if (record.reader !== null && record.reader !== reader && record.lockedUntilMs > nowMs + SLACK_MS)
      this.violations.push(`record ${offset} is with two members`);
    if (deliveryCount > DELIVERIES_MAX) this.violations.push(`record ${offset} is delivered ${deliveryCount} times`);
    this.count.delivered++;
    record.reader = reader;
    record.lockedUntilMs = nowMs + LOCK_MS;
    record.deliveries++;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.broker.clock.after(ms, resolve));
  }

  /** As the coordinator has it, for the next leader: its start offset lags behind by a write, and what is done above it is counted. */
  private async doneCount(): Promise<number> {
    const [startOffset, deliveryCompleteCount] = await this.broker.summary();
    return startOffset + deliveryCompleteCount;
  }

  /** All that can go on does, and one member accepts whatever comes. */
  private async drain(): Promise<void> {
    const { broker } = this;
    for (const reader of [...this.readers]) this.remove(reader, false);
    broker.log.mode = 'sync';
    broker.log.commit();
    await broker.clock.advance(2 * ANSWER_MS + LOCK_MS);
    const last = new Reader(this, broker.member('last'));
    for (let round = 0; round < DRAIN_ROUNDS; round++) {
      if ((await this.doneCount()) === this.records.length) return;
      const turn = last.acceptAll();
      await broker.clock.advance(1000);
      await turn;
    }
    this.violations.push(`of ${this.records.length} records ${await this.doneCount()} are done in the end`);
  }
}

class Reader {
  stallMs = 0;
  private readonly world: ShareRecordsSimulation;
  private member: Member;
  private isAlive = true;

  constructor(world: ShareRecordsSimulation, member: Member) {
    this.world = world;
    this.member = member;
  }

  end(says: boolean): void {
    this.isAlive = false;
    // Who has no session is told so.
    if (says) this.member.leave().catch(() => {});
    else this.member.disconnect();
    this.world.released(this);
  }

  /** With the broker; the next session is another one. */
  disconnected(): void {
    this.member = this.world.broker.member(this.member.memberId);
  }

  async run(): Promise<void> {
    const { world } = this;
    const { random } = world;
    while (this.isAlive) {
      const { member } = this;
      const offsets = await this.fetch(1 + random.int(12));
      for (; this.stallMs > 0 && this.isAlive; this.stallMs -= 100) await world.sleep(100);
      await world.sleep(random.int(400));
      for (const offset of offsets) {
        if (!this.isAlive || member !== this.member) break;
        const type = random.int(4) === 0 ? RELEASE : random.int(12) === 0 ? REJECT : ACCEPT;
        // Some are forgotten.
        if (random.int(12) > 0) await this.acknowledge(offset, type);
      }
    }
  }

  async acceptAll(): Promise<void> {
    for (const offset of await this.fetch(50)) await this.acknowledge(offset, ACCEPT);
  }

  private async fetch(maxRecords: number): Promise<number[]> {
    const { world, member } = this;
    const answer = await this.answered(member.fetch({ maxRecords, batchSize: maxRecords, maxWaitMs: 200 }));
    // What comes to one who is gone counts as delivered and is nobody's.
    if (answer === null || member !== this.member) return [];
    if (answer.errorCode !== ErrorCode.NONE) return this.again();
    const offsets = answer.acquired.flatMap(([first, last, deliveryCount]) =>
      Array.from({ length: last - first + 1 }, (_, i) => ({ offset: first + i, deliveryCount })),
    );
    for (const { offset, deliveryCount } of offsets) world.delivered(this, offset, deliveryCount);
    if (!this.isAlive) world.released(this);
    return offsets.map(({ offset }) => offset);
  }

  private async again(): Promise<number[]> {
    this.member.disconnect();
    this.world.released(this);
    this.disconnected();
    await this.world.sleep(100);
    return [];
  }

  private async acknowledge(offset: number, type: number): Promise<void> {
    const { world, member } = this;
    const record = world.records[offset];
    // Somebody else may have it before the answer is here.
    if (type === RELEASE) record.reader = null;
    const errorCode = await this.answered(member.acknowledge([offset, offset, type]));
    if (errorCode !== ErrorCode.NONE) return;
    world.count.confirmed++;
    if (type !== RELEASE) record.isDone = true;
    if (record.reader === this) record.reader = null;
  }

  /** Null where it fails or does not come. */
  private answered<T>(answer: Promise<T>): Promise<T | null> {
    return Promise.race([answer.catch(() => null), this.world.sleep(ANSWER_MS).then(() => null)]);
  }
}
