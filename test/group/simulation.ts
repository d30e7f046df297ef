import { KafkaError } from '../../protocol/errors.ts';
import { MemoryCoordinatorLog } from '../support/memory-coordinator-log.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { expectSameAfterReplay, liveShard } from './durable-state.ts';
import { GroupBroker, topic } from './group-broker.ts';
import { GROUP, PARTITIONS, SimulatedMember } from './simulated-member.ts';

/**
 * Members of one group and its coordinators, in virtual time, the same for the same seed. What is held against them:
 * - a partition has one owner in a generation;
 * - generations that were completed only grow;
 * - only the owner of a partition in the present generation commits to it, and so committed offsets never go back;
 * - a coordinator that is loaded from the log knows what the one before it knew.
 */
export class Simulation {
  readonly random: SeededRandom;
  readonly clock = new VirtualClock();
  private readonly log = new MemoryCoordinatorLog();
  private broker: GroupBroker;
  private members: SimulatedMember[] = [];
  /** Group instance ids by the names of all members there ever were. */
  private readonly instances = new Map<string, string | null>();
  /** By generation and partition: the member's name. */
  private readonly owners = new Map<string, string>();
  private generationId = 0;
  private readonly highest = new Map<number, number>();
  readonly violations: string[] = [];
  readonly count = { assigned: 0, committed: 0, failovers: 0 };

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.broker = this.elect();
    for (let i = 0; i < 4; i++) this.add();
  }

  private elect(): GroupBroker {
    const config = { 'group.min.session.timeout.ms': '100', 'group.initial.rebalance.delay.ms': '50' };
    const topics = [topic('t', PARTITIONS)];
    const seed = this.random.int(1 << 30);
    return new GroupBroker({ log: this.log, clock: this.clock, config, topics, partitionCount: 1, seed });
  }

  private add(): void {
    const isStatic = this.random.int(2) === 0;
    const instance = isStatic ? `i${this.random.int(3)}` : null;
    const member = new SimulatedMember(this, `m${this.instances.size}`, instance);
    this.instances.set(member.name, instance);
    this.members.push(member);
    member.run().catch((error) => this.violations.push(String(error?.stack ?? error)));
  }

  async run(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 100) {
      this.disturb();
      await this.clock.advance(100);
      this.check();
    }
    for (const member of this.members) member.kill();
    this.heal();
    await this.clock.advance(60_000);
    expectSameAfterReplay(this.broker);
  }

  /** What may happen in a tenth of a second. */
  private disturb(): void {
    const { random, log } = this;
    if (random.int(30) === 0) this.failover();
    if (random.int(20) === 0 && this.members.length > 0)
      this.members.splice(random.int(this.members.length), 1)[0].kill();
    if (this.members.length < 5 && random.int(10) === 0) this.add();
    if (random.int(15) === 0) log.mode = log.mode === 'sync' ? 'held' : 'sync';
    if (random.int(2) === 0) log.commit(random.int(5));
  }

  /** Another node becomes coordinator; what had not been committed is lost. */
  private failover(): void {
    this.count.failovers++;
    this.broker.groups.onResigned(0);
    this.log.fail(new KafkaError('NOT_LEADER_OR_FOLLOWER'));
    this.broker = this.elect();
  }

  private heal(): void {
    this.log.mode = 'sync';
    this.log.commit();
  }

  private check(): void {
    const shard = liveShard(this.broker, 0);
    for (const [, partition, stored] of shard.offsets.committed.entriesOf(GROUP)) {
      const offset = Number(stored.offset);
      const before = this.highest.get(partition) ?? 0;
      if (offset < before) this.violations.push(`offset of ${partition} went back from ${before} to ${offset}`);
      this.highest.set(partition, offset);
    }
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.clock.after(ms, resolve));
  }

  /** A request to whoever coordinates now; null when no answer comes in time. */
  request<T>(send: (broker: GroupBroker) => Promise<T>): Promise<T | null> {
    return Promise.race([send(this.broker), this.sleep(8000).then(() => null)]);
  }

  onAssigned(name: string, generationId: number, partitions: readonly number[]): void {
    this.count.assigned++;
    if (generationId < this.generationId) this.violations.push(`generation ${generationId} after ${this.generationId}`);
    this.generationId = generationId;
    for (const partition of partitions) {
      const key = `${generationId}/${partition}`;
      const owner = this.owners.get(key);
      if (owner !== undefined && !this.isSame(owner, name)) {
        this.violations.push(`${partition} belongs to ${owner} and to ${name} in generation ${generationId}`);
      }
      this.owners.set(key, name);
    }
  }

  /** The last generation that is known to be complete. */
  get completeGenerationId(): number {
    return this.generationId;
  }

  /** A commit was accepted; `complete` is the last generation that was complete when it was sent. */
  onCommitted(name: string, generationId: number, complete: number, partition: number, offset: number): void {
    this.count.committed++;
    if (generationId < complete)
      this.violations.push(`${name} commits in generation ${generationId} after ${complete}`);
    const owner = this.owners.get(`${generationId}/${partition}`) ?? 'nobody';
    if (!this.isSame(owner, name)) {
      this.violations.push(`${name} commits ${offset} to ${partition}, which belongs to ${owner}`);
    }
  }

  /** Static members under one instance id take one another's place within a generation. */
  private isSame(name: string, other: string): boolean {
    const instance = this.instances.get(name) ?? null;
    return name === other || (instance !== null && instance === this.instances.get(other));
  }
}
