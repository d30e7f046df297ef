import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import type { ShareGroupHeartbeatResponse } from '../../../protocol/messages/76-share-group-heartbeat.ts';
import type { MessageOf } from '../../../protocol/schema.ts';
import { shareGroupHeartbeat } from '../../../src/api/76-share-group-heartbeat.ts';
import type { ShareGroup } from '../../../src/group/share/share-group.ts';
import { MemoryCoordinatorLog } from '../../support/memory-coordinator-log.ts';
import { MemoryPersister } from '../../support/memory-persister.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { expectSameAfterReplay, liveShard } from '../durable-state.ts';
import { GroupBroker, type Topic, topic } from '../group-broker.ts';

const GROUP = 'g';
const HEARTBEAT_MS = 500;
const MEMBERS_MAX = 7;
const SHORT_SESSIONS = {
  'group.share.session.timeout.ms': '5000',
  'group.share.min.session.timeout.ms': '5000',
  'group.share.heartbeat.interval.ms': '1000',
  'group.share.min.heartbeat.interval.ms': '1000',
};
/** Longer than any session, any wait for state and any interval between assignments. */
const QUIET_MS = 200_000;

type Told = MessageOf<typeof ShareGroupHeartbeatResponse>;

/**
 * Members of one share group and its coordinators in virtual time, the same for the same seed: members join, leave, stall and
 * die, coordinators fail over and lose what was not committed, state comes late or not at all, topics come and grow. What is held against them:
 * - the group's epoch never goes back, and neither does that of a member as long as it lives;
 * - a member is only told to read topics that it subscribes to and that have state;
 * - when all is quiet, members know what the coordinator thinks they know, and every partition has a reader;
 * - a coordinator that is loaded from the log knows what the one before it knew.
 */
export class ShareSimulation {
  readonly random: SeededRandom;
  readonly clock = new VirtualClock();
  readonly violations: string[] = [];
  readonly count = { told: 0, fenced: 0, failovers: 0 };
  private readonly log = new MemoryCoordinatorLog();
  private readonly persister = new MemoryPersister();
  private readonly topics = new Map<string, Topic>([
    ['t', topic('t', 5)],
    ['u', topic('u', 2)],
  ]);
  private broker: GroupBroker;
  private members: Member[] = [];
  private named = 0;
  private groupEpoch = 0;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.broker = this.elect();
  }

  private elect(): GroupBroker {
    const { log, clock, persister } = this;
    const seed = this.random.int(1 << 30);
    const config = { ...SHORT_SESSIONS, 'group.share.max.size': String(MEMBERS_MAX - 1) };
    return new GroupBroker({
      log,
      clock,
      persister,
      config,
      topics: [...this.topics.values()],
      partitionCount: 1,
      seed,
    });
  }

  async run(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 100) {
      this.disturb();
      await this.clock.advance(100);
      this.check();
    }
    this.heal();
    await this.clock.advance(QUIET_MS);
    this.check();
    this.checkSettled();
    expectSameAfterReplay(this.broker);
  }

  /** What may happen in a tenth of a second. */
  private disturb(): void {
    const { random, log, persister, members } = this;
    if (members.length < MEMBERS_MAX && random.int(10) === 0) this.add();
    const some = members[random.int(Math.max(1, members.length))];
    if (some !== undefined && random.int(100) === 0) some.stallMs = random.int(12_000);
    if (some !== undefined && random.int(60) === 0) this.remove(some, random.int(2) === 0);
    if (some !== undefined && random.int(30) === 0) some.subscription = this.anySubscription();
    if (random.int(100) === 0) this.failover();
    if (random.int(log.mode === 'sync' ? 60 : 15) === 0) log.mode = log.mode === 'sync' ? 'held' : 'sync';
    if (random.int(2) === 0) log.commit(random.int(5));
    if (random.int(20) === 0) persister.errorCode = random.int(2) === 0 ? ErrorCode.COORDINATOR_NOT_AVAILABLE : 0;
    if (random.int(20) === 0) persister.until = random.int(4) === 0 ? this.sleep(random.int(40_000)) : null;
    if (random.int(200) === 0) this.grow();
  }

  private anySubscription(): string[] {
    return [['t'], ['u'], ['t', 'u'], ['t', 'later'], ['later', 'u']][this.random.int(5)];
  }

  private add(): void {
    const member = new Member(this, `m${this.named++}`, this.anySubscription());
    this.members.push(member);
    member.run().catch((error) => this.violations.push(String(error?.stack ?? error)));
  }

  private remove(member: Member, says: boolean): void {
    this.members.splice(this.members.indexOf(member), 1);
    member.end(says);
  }

  private grow(): void {
    const grown = this.topics.has('later') ? topic('t', 6 + this.random.int(3)) : topic('later', 3);
    const present = this.topics.get(grown.name)?.partitions.length ?? 0;
    if (grown.partitions.length <= present) return;
    this.topics.set(grown.name, grown);
    this.broker.topics.set(grown.name, grown);
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
    this.persister.errorCode = ErrorCode.NONE;
    this.persister.until = null;
    for (const member of this.members) member.stallMs = 0;
    while (this.members.length < 3) this.add();
    this.members[0].subscription = ['t', 'u', 'later'];
  }

  private group(): ShareGroup | null {
    const group = liveShard(this.broker, 0).groups.get(GROUP);
    return group?.type === 'share' ? group : null;
  }

  private check(): void {
    const epoch = this.group()?.epoch ?? 0;
    if (epoch < this.groupEpoch) this.violations.push(`group epoch ${epoch} after ${this.groupEpoch}`);
    this.groupEpoch = epoch;
  }

  private checkSettled(): void {
    const group = this.group();
    if (group === null) throw new Error('no group');
    const live = new Map(this.members.map((m) => [m.name, m]));
    const known = [...group.members.keys()].filter((id) => !live.has(id));
    if (known.length > 0) this.violations.push(`dead members ${known} are still there`);
    const read = new Set<string>();
    for (const member of live.values()) {
      const present = group.members.get(member.name);
      // one of them may find no room
      if (present === undefined) continue;
      const thinks = [...member.reads].sort().join();
      const given = [...present.assigned].flatMap(([id, all]) => [...all].map((p) => `${id}/${p}`));
      if (thinks !== given.sort().join()) this.violations.push(`${member.name} reads ${thinks} instead of ${given}`);
      for (const partition of given) read.add(partition);
    }
    for (const [name, { id, partitions }] of this.topics) {
      if (!group.isSubscribedTo(name)) continue;
      for (const p of partitions.keys()) if (!read.has(`${id}/${p}`)) this.violations.push(`nobody reads ${name} ${p}`);
    }
  }

  onTold(member: Member, told: Told): void {
    if (told.assignment?.topicPartitions.length) this.count.told++;
    for (const { topicId, partitions } of told.assignment?.topicPartitions ?? []) {
      const name = [...this.topics.values()].find((t) => t.id === topicId)?.name ?? '';
      if (!member.sent.includes(name)) this.violations.push(`${member.name} is to read ${name} and did not ask for it`);
      for (const p of partitions) {
        if (this.persister.state(GROUP, topicId, p) === undefined) this.violations.push(`${name} ${p} has no state`);
      }
    }
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.clock.after(ms, resolve));
  }

  /** Asks whoever coordinates now; null when no answer comes in time. */
  ask(memberId: string, memberEpoch: number, subscribedTopicNames: string[] | null): Promise<Told | null> {
    const request = { groupId: GROUP, memberId, memberEpoch, subscribedTopicNames };
    return Promise.race([this.broker.call(shareGroupHeartbeat, 1, request), this.sleep(8000).then(() => null)]);
  }
}

class Member {
  readonly name: string;
  subscription: string[];
  /** The subscription that the coordinator was last told. */
  sent: string[] = [];
  stallMs = 0;
  /** Topic ids and partitions. */
  reads = new Set<string>();
  private readonly world: ShareSimulation;
  private epoch = 0;
  private isAlive = true;

  constructor(world: ShareSimulation, name: string, subscription: string[]) {
    this.world = world;
    this.name = name;
    this.subscription = subscription;
  }

  end(says: boolean): void {
    this.isAlive = false;
    if (says) void this.world.ask(this.name, -1, null);
  }

  async run(): Promise<void> {
    while (this.isAlive) {
      const names = this.epoch === 0 || this.sent !== this.subscription ? this.subscription : null;
      this.sent = this.subscription;
      const told = await this.world.ask(this.name, this.epoch, names);
      if (!this.isAlive) return;
      if (told === null || told.errorCode !== ErrorCode.NONE) this.refused(told);
      else this.follow(told);
      for (; this.stallMs > 0 && this.isAlive; this.stallMs -= 100) await this.world.sleep(100);
      await this.world.sleep(HEARTBEAT_MS);
    }
  }

  /** A lost answer, too, has the member say all again. */
  private refused(told: Told | null): void {
    this.sent = [];
    const rejoins: number[] = [
      ErrorCode.UNKNOWN_MEMBER_ID,
      ErrorCode.FENCED_MEMBER_EPOCH,
      ErrorCode.GROUP_ID_NOT_FOUND,
    ];
    if (told === null || !rejoins.includes(told.errorCode)) return;
    this.world.count.fenced++;
    this.epoch = 0;
    this.reads.clear();
  }

  private follow(told: Told): void {
    if (told.memberEpoch < this.epoch)
      this.world.violations.push(`${this.name} goes back from epoch ${this.epoch} to ${told.memberEpoch}`);
    this.epoch = told.memberEpoch;
    if (told.assignment === null) return;
    this.world.onTold(this, told);
    const all = told.assignment.topicPartitions.flatMap((t) => t.partitions.map((p) => `${t.topicId}/${p}`));
    this.reads = new Set(all);
  }
}
