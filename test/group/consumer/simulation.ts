import { KafkaError } from '../../../protocol/errors.ts';
import { MemoryCoordinatorLog } from '../../support/memory-coordinator-log.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { expectSameAfterReplay, liveShard } from '../durable-state.ts';
import { GroupBroker, topic } from '../group-broker.ts';
import { SimulatedConsumer } from './simulated-member.ts';

const PARTITIONS = 8;

/**
 * Members of one consumer group and its coordinators, in virtual time, the same for the same seed. What is held against them:
 * - a partition has one owner, for the coordinator and among the members that it knows;
 * - epochs of the group and of each member only grow;
 * - committed offsets never go back;
 * - a coordinator that is loaded from the log knows what the one before it knew;
 * - when all is quiet, all partitions are shared, and shared evenly.
 */
export class ConsumerSimulation {
  readonly random: SeededRandom;
  readonly clock = new VirtualClock();
  readonly violations: string[] = [];
  readonly count = { assigned: 0, committed: 0, failovers: 0 };
  broker: GroupBroker;
  /** Whether things go wrong. */
  isRough = true;
  private readonly log = new MemoryCoordinatorLog();
  private members: SimulatedConsumer[] = [];
  private named = 0;
  private groupEpoch = 0;
  /** By member id. */
  private readonly epochs = new Map<string, number>();
  private readonly highest = new Map<number, number>();

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.broker = this.elect();
    for (let i = 0; i < 4; i++) this.add();
  }

  private elect(): GroupBroker {
    const config = {
      'group.consumer.min.session.timeout.ms': '1000',
      'group.consumer.session.timeout.ms': '1500',
      'group.consumer.min.heartbeat.interval.ms': '100',
      'group.consumer.heartbeat.interval.ms': '300',
      'group.consumer.assignment.interval.ms': String(this.random.int(2) * 500),
      'group.consumer.assignors': this.random.int(2) === 0 ? 'uniform' : 'range',
    };
    const { log, clock } = this;
    const seed = this.random.int(1 << 30);
    return new GroupBroker({ log, clock, config, topics: [topic('t', PARTITIONS)], partitionCount: 1, seed });
  }

  private add(): void {
    const isStatic = this.random.int(2) === 0;
    const free = [0, 1, 2].map((i) => `i${i}`).filter((id) => this.members.every((m) => m.instanceId !== id));
    const member = new SimulatedConsumer(this, `m${this.named++}`, isStatic ? (free[0] ?? null) : null);
    this.members.push(member);
    void member.run();
  }

  async run(durationMs: number): Promise<void> {
    const end = this.clock.nowMs() + durationMs;
    while (this.clock.nowMs() < end) {
      this.disturb();
      await this.clock.advance(100);
      this.check();
    }
    await this.comeToRest();
    for (const member of this.members) member.kill();
    await this.clock.advance(60_000);
    expectSameAfterReplay(this.broker);
  }

  /** From now on nothing goes wrong: the members are to share all there is. */
  private async comeToRest(): Promise<void> {
    this.isRough = false;
    this.log.mode = 'sync';
    this.log.commit();
    for (let i = 0; i < 200; i++) {
      await this.clock.advance(100);
      this.check();
    }
    const sizes = this.members.map((member) => member.owned.length);
    const owned = this.members.flatMap((member) => member.owned);
    const isShared = owned.length === PARTITIONS && new Set(owned).size === PARTITIONS;
    const isEven = Math.max(...sizes) - Math.min(...sizes) <= 1;
    if (!isShared || !isEven) this.violations.push(`in the end they own ${JSON.stringify(sizes)}`);
  }

  /** What may happen in a tenth of a second. */
  private disturb(): void {
    const { random, log } = this;
    if (random.int(30) === 0) this.failover();
    if (random.int(20) === 0 && this.members.length > 1)
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

  private check(): void {
    const shard = liveShard(this.broker, 0);
    for (const [, partition, stored] of shard.offsets.committed.entriesOf('g')) {
      const offset = Number(stored.offset);
      const before = this.highest.get(partition) ?? 0;
      if (offset < before) this.violations.push(`offset of ${partition} went back from ${before} to ${offset}`);
      this.highest.set(partition, offset);
    }
    const group = shard.groups.get('g');
    if (group?.type !== 'consumer') return;
    if (group.groupEpoch < this.groupEpoch)
      this.violations.push(`group epoch ${group.groupEpoch} after ${this.groupEpoch}`);
    this.groupEpoch = group.groupEpoch;
    const owners = new Map<string, string>();
    for (const { memberId, assignedPartitions, partitionsPendingRevocation } of group.members.values()) {
      for (const owned of [assignedPartitions, partitionsPendingRevocation])
        for (const [topicId, epochs] of owned)
          for (const partition of epochs.keys()) this.own(owners, `${topicId}/${partition}`, memberId);
    }
    const known = this.members.filter((member) => group.members.has(member.memberId));
    owners.clear();
    for (const member of known) for (const one of member.owned) this.own(owners, one, member.memberId);
  }

  private own(owners: Map<string, string>, partition: string, memberId: string): void {
    const owner = owners.get(partition);
    if (owner !== undefined) this.violations.push(`${partition} belongs to ${owner} and to ${memberId}`);
    owners.set(partition, memberId);
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.clock.after(ms, resolve));
  }

  /** A request to whoever coordinates now; null when no answer comes in time. */
  request<T>(send: (broker: GroupBroker) => Promise<T>): Promise<T | null> {
    return Promise.race([send(this.broker), this.sleep(8000).then(() => null)]);
  }

  onAnswer(memberId: string, { errorCode, memberEpoch, assignment }: Answered): void {
    if (errorCode !== 0) {
      this.epochs.delete(memberId);
      return;
    }
    if (assignment !== null) this.count.assigned++;
    const before = this.epochs.get(memberId) ?? 0;
    if (memberEpoch < before) this.violations.push(`epoch ${memberEpoch} of ${memberId} after ${before}`);
    this.epochs.set(memberId, memberEpoch);
  }
}

interface Answered {
  readonly errorCode: number;
  readonly memberEpoch: number;
  readonly assignment: unknown;
}
