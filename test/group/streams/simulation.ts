import { KafkaError } from '../../../protocol/errors.ts';
import type { StreamsGroup } from '../../../src/group/streams/streams-group.ts';
import { eachTask, taskKey } from '../../../src/group/streams/tasks.ts';
import { MemoryCoordinatorLog } from '../../support/memory-coordinator-log.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { liveShard } from '../durable-state.ts';
import { type GroupBroker, topic } from '../group-broker.ts';
import { loadedStreams, streamsState } from './durable-streams.ts';
import { GROUP, liveGroup, streamsBroker } from './protocol.ts';
import { SimulatedStreamsMember } from './simulated-member.ts';

const PROCESSES = 3;

/**
 * Members of one streams group and its coordinators, in virtual time, the same for the same seed. What is held against them:
 * - a task is active in one member at most, as the coordinator knows it, tasks on their way back included;
 * - whoever is a member processes nothing that the coordinator does not know to be its;
 * - a process has no two copies of a task;
 * - the epochs of the group, of its assignment and of a member that stays only grow;
 * - a coordinator that is loaded from the log knows what the one before it knew;
 * - left alone, the group comes to rest with every task active and evenly spread.
 */
export class StreamsSimulation {
  readonly random: SeededRandom;
  readonly clock = new VirtualClock();
  private readonly log = new MemoryCoordinatorLog();
  private broker: GroupBroker;
  private partitions = 6;
  private members: SimulatedStreamsMember[] = [];
  private memberCount = 0;
  private groupEpoch = 0;
  private assignmentEpoch = 0;
  readonly violations: string[] = [];
  readonly count = { epochs: 0, failovers: 0, moved: 0 };

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.broker = this.elect();
    for (let i = 0; i < 3; i++) this.add();
  }

  private elect(): GroupBroker {
    const config = {
      'group.streams.min.session.timeout.ms': '100',
      'group.streams.session.timeout.ms': '1500',
      'group.streams.min.heartbeat.interval.ms': '10',
      'group.streams.heartbeat.interval.ms': '100',
      'group.streams.initial.rebalance.delay.ms': '200',
      'group.streams.assignment.interval.ms': '300',
      'group.streams.num.standby.replicas': '1',
    };
    const topics = ['in', 'log'].map((name) => topic(name, this.partitions));
    return streamsBroker({ log: this.log, clock: this.clock, config, topics, seed: this.random.int(1 << 30) });
  }

  private add(): void {
    const name = `m${this.memberCount++}`;
    const member = new SimulatedStreamsMember(this, name, `p${this.random.int(PROCESSES)}`);
    this.members.push(member);
    member.run().catch((error) => this.violations.push(String(error?.stack ?? error)));
  }

  async run(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 50) {
      this.disturb();
      await this.clock.advance(50);
      this.check();
      if (left % 2000 === 0) this.checkLog();
    }
    this.heal();
    await this.clock.advance(30_000);
    this.check();
    this.checkLog();
    this.checkAtRest();
  }

  /** What may happen in a twentieth of a second. */
  private disturb(): void {
    const { random, log } = this;
    if (random.int(60) === 0) this.failover();
    if (random.int(40) === 0 && this.members.length > 0) this.takeOne().kill();
    if (random.int(60) === 0 && this.members.length > 0) void this.takeOne().leave();
    if (random.int(40) === 0 && this.members.length > 0) random.pick(this.members).stall(random.int(4000));
    if (this.members.length < 6 && random.int(20) === 0) this.add();
    if (random.int(400) === 0) this.widen();
    if (random.int(20) === 0) log.mode = log.mode === 'sync' ? 'held' : 'sync';
    if (random.int(2) === 0) log.commit(random.int(5));
  }

  private takeOne(): SimulatedStreamsMember {
    return this.members.splice(this.random.int(this.members.length), 1)[0];
  }

  private widen(): void {
    this.partitions++;
    for (const name of ['in', 'log']) this.broker.topics.set(name, topic(name, this.partitions));
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
    while (this.members.length < 3) this.add();
  }

  private check(): void {
    const group = liveShard(this.broker, 0).groups.get(GROUP);
    if (group?.type !== 'streams') return;
    if (group.groupEpoch < this.groupEpoch) this.violations.push(`group epoch ${group.groupEpoch}`);
    if (group.assignmentEpoch < this.assignmentEpoch) this.violations.push(`assignment epoch ${group.assignmentEpoch}`);
    this.groupEpoch = group.groupEpoch;
    this.assignmentEpoch = group.assignmentEpoch;
    this.checkOwners(group);
    this.checkProcessed(group);
  }

  private checkLog(): void {
    const group = liveShard(this.broker, 0).groups.get(GROUP);
    if (group?.type !== 'streams') return;
    expectSame(this.violations, streamsState(loadedStreams(this.log, GROUP)), streamsState(group));
  }

  private checkOwners(group: StreamsGroup): void {
    const owners = new Map<string, string>();
    const inProcess = new Set<string>();
    for (const { memberId, assigned, pendingRevocation, metadata } of group.members.values()) {
      const active = [...eachTask(assigned.active), ...eachTask(pendingRevocation.active)];
      const standby = [...eachTask(assigned.standby), ...eachTask(pendingRevocation.standby)];
      for (const [id, partition] of active) {
        const key = taskKey(id, partition);
        if (owners.has(key)) this.violations.push(`${key} is with ${owners.get(key)} and with ${memberId}`);
        owners.set(key, memberId);
      }
      for (const [id, partition] of [...active, ...standby]) {
        const copy = `${metadata.processId} ${taskKey(id, partition)}`;
        if (inProcess.has(copy)) this.violations.push(`${copy} is there twice`);
        inProcess.add(copy);
      }
    }
  }

  /** Members that were fenced and have not heard of it yet are left aside, as they are in a real cluster. */
  private checkProcessed(group: StreamsGroup): void {
    for (const { name, processed, memberEpoch } of this.members) {
      const member = group.members.get(name);
      const isCurrent = member !== undefined && [member.memberEpoch, member.previousMemberEpoch].includes(memberEpoch);
      if (!isCurrent) continue;
      for (const partition of processed) {
        const key = taskKey('0', partition);
        const isIts = [member.assigned, member.pendingRevocation].some(({ active }) =>
          [...eachTask(active)].some(([id, p]) => taskKey(id, p) === key),
        );
        if (!isIts) this.violations.push(`${name} processes ${key} in epoch ${memberEpoch}`);
      }
    }
  }

  private checkAtRest(): void {
    const group = liveGroup(this.broker);
    if (group.state !== 'Stable') this.violations.push(`the group is ${group.state} in the end`);
    const counts = this.members.map(({ processed }) => processed.length);
    const all = this.members.flatMap(({ processed }) => processed).sort((a, b) => a - b);
    if (all.join() !== Array.from({ length: this.partitions }, (_, p) => p).join()) {
      this.violations.push(`processed in the end: ${all}`);
    }
    // Kafka's rule: who has tasks keeps them up to an equal share, rounded up, even where others then have fewer.
    const share = Math.ceil(this.partitions / counts.length);
    if (Math.max(...counts) > share) this.violations.push(`tasks in the end: ${counts}`);
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.clock.after(ms, resolve));
  }

  /** A request to whoever coordinates now; null when no answer comes in time. */
  request<T>(send: (broker: GroupBroker) => Promise<T>): Promise<T | null> {
    return Promise.race([send(this.broker), this.sleep(3000).then(() => null)]);
  }

  onEpoch(name: string, epoch: number): void {
    this.count.epochs++;
    const before = this.members.find((member) => member.name === name)?.memberEpoch ?? 0;
    if (epoch < before) this.violations.push(`${name} goes from epoch ${before} to ${epoch}`);
  }
}

function expectSame(violations: string[], loaded: unknown, live: unknown): void {
  const text = (state: unknown) =>
    JSON.stringify(state, (_key, value) => {
      if (value instanceof Map) return [...value].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
      if (value instanceof Set) return [...value].sort();
      return typeof value === 'bigint' ? String(value) : value;
    });
  if (text(loaded) !== text(live)) violations.push(`loaded ${text(loaded)} instead of ${text(live)}`);
}
