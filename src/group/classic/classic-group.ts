import { KafkaError } from '../../../protocol/errors.ts';
import { toNumber } from '../../../protocol/int64.ts';
import type { Reply } from '../../coordinator/answer.ts';
import type { AnyGroup, Committer } from '../group.ts';
import type { StoredOffset } from '../offsets/offset-store.ts';
import { type JoinResponse, Member, type Protocol } from './member.ts';
import { type ClassicRecord, classicTombstone, type GroupMetadata } from './records.ts';
import { CONSUMER_PROTOCOL_TYPE, subscribedTopics } from './subscription.ts';

/** As DescribeGroups and ListGroups name them. */
export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable';

/** The states from which each state may be entered while the group lives; loading may put it into Empty or Stable. */
const MAY_FOLLOW: Readonly<Record<GroupState, readonly GroupState[]>> = {
  Empty: ['PreparingRebalance'],
  PreparingRebalance: ['Stable', 'CompletingRebalance', 'Empty'],
  CompletingRebalance: ['PreparingRebalance'],
  Stable: ['CompletingRebalance'],
};

/**
 * A group of the classic protocol: the broker keeps the members and their generation, the leader among them assigns. Of
 * its state the log holds the last generation that was completed (`apply`); a rebalance in progress is not durable, and
 * ends with the coordinator that ran it.
 */
export class ClassicGroup implements AnyGroup {
  readonly type = 'classic';
  readonly groupId: string;
  state: GroupState = 'Empty';
  previousState: GroupState | null = null;
  /** When the group came into its state; -1 where an old record did not say. */
  stateTimestampMs: number;
  /** Null as long as no member has ever joined: the group of a consumer that only commits offsets. */
  protocolType: string | null = null;
  /** The strategy of the generation; null when there are no members. */
  protocolName: string | null = null;
  generationId = 0;
  leaderId: string | null = null;
  readonly members = new Map<string, Member>();
  /** Member ids by group instance id. */
  readonly staticMembers = new Map<string, string>();
  /** Ids that were given out and have not been used to join yet (KIP-394). */
  readonly pendingJoin = new Set<string>();
  /** Members of the generation that have not asked for their assignment yet. */
  readonly pendingSync = new Set<string>();
  /** What the members are subscribed to; null where that is not known. */
  subscribedTopics: ReadonlySet<string> | null = null;
  /** Somebody joined during the initial rebalance, which is then extended. */
  newMemberAdded = false;
  /** How many members wait to join. */
  awaitingJoinCount = 0;
  /** How many members offer each strategy. */
  private readonly offered = new Map<string, number>();

  constructor(groupId: string, nowMs: number) {
    this.groupId = groupId;
    this.stateTimestampMs = nowMs;
  }

  isIn(...states: GroupState[]): boolean {
    return states.includes(this.state);
  }

  canRebalance(): boolean {
    return MAY_FOLLOW.PreparingRebalance.includes(this.state);
  }

  transitionTo(state: GroupState, nowMs: number): void {
    if (!MAY_FOLLOW[state].includes(this.state)) {
      throw new Error(`group ${this.groupId} cannot go from ${this.state} to ${state}`);
    }
    this.enter(state);
    this.stateTimestampMs = nowMs;
  }

  private enter(state: GroupState): void {
    this.previousState = this.state;
    this.state = state;
  }

  isEmpty(): boolean {
    return this.state === 'Empty';
  }

  usesConsumerProtocol(): boolean {
    return this.protocolType === CONSUMER_PROTOCOL_TYPE;
  }

  /** The longest that any member needs to come back for a rebalance. */
  rebalanceTimeoutMs(): number {
    let timeoutMs = 0;
    for (const member of this.members.values()) timeoutMs = Math.max(timeoutMs, member.rebalanceTimeoutMs);
    return timeoutMs;
  }

  add(member: Member, awaitingJoin: Reply<JoinResponse> | null): void {
    if (member.groupInstanceId !== null) this.staticMembers.set(member.groupInstanceId, member.memberId);
    if (this.members.size === 0) this.protocolType = member.protocolType;
    this.leaderId ??= member.memberId;
    this.members.set(member.memberId, member);
    this.count(member.protocols, 1);
    this.setAwaitingJoin(member, awaitingJoin);
    this.pendingJoin.delete(member.memberId);
  }

  /** Forgets a member or an id that was given out; the leadership passes to whoever is there. */
  remove(memberId: string): void {
    const member = this.members.get(memberId);
    if (member !== undefined) {
      this.members.delete(memberId);
      this.count(member.protocols, -1);
      this.setAwaitingJoin(member, null);
      if (member.groupInstanceId !== null) this.staticMembers.delete(member.groupInstanceId);
    }
    if (this.leaderId === memberId) this.leaderId = this.members.keys().next().value ?? null;
    this.pendingJoin.delete(memberId);
    this.pendingSync.delete(memberId);
  }

  setProtocols(member: Member, protocols: readonly Protocol[]): void {
    this.count(member.protocols, -1);
    member.protocols = protocols;
    this.count(protocols, 1);
  }

  setAwaitingJoin(member: Member, reply: Reply<JoinResponse> | null): void {
    this.awaitingJoinCount += Number(reply !== null) - Number(member.awaitingJoin !== null);
    member.awaitingJoin = reply;
  }

  /** Answers the member's waiting JoinGroup, if there is one. */
  answerJoin(member: Member, response: JoinResponse): void {
    const reply = member.awaitingJoin;
    this.setAwaitingJoin(member, null);
    reply?.(response);
  }

  hasAllJoined(): boolean {
    return this.members.size === this.awaitingJoinCount && this.pendingJoin.size === 0;
  }

  /** Keeps the leader if it has joined, else makes one of those who have; false where nobody has. */
  electJoinedLeader(): boolean {
    if (this.leaderId === null) return false;
    if (this.members.get(this.leaderId)?.awaitingJoin != null) return true;
    for (const member of this.members.values()) {
      if (member.awaitingJoin === null) continue;
      this.leaderId = member.memberId;
      return true;
    }
    return false;
  }

  /** Whether somebody with these strategies could be a member beside those who are. */
  supports(protocolType: string, protocols: readonly Protocol[]): boolean {
    if (this.state === 'Empty') return protocolType !== '' && protocols.length > 0;
    return protocolType === this.protocolType && protocols.some((p) => this.isOfferedByAll(p.name));
  }

  private isOfferedByAll(protocolName: string): boolean {
    return (this.offered.get(protocolName) ?? 0) === this.members.size;
  }

  /**
   * The strategy of the next generation: of those that all members offer, each votes for the one it prefers. `changed` puts
   * other strategies in the place of one member's.
   */
  selectProtocol(changed?: { readonly memberId: string; readonly protocols: readonly Protocol[] }): string {
    const offers = [...this.members.values()].map((m) =>
      changed?.memberId === m.memberId ? changed.protocols : m.protocols,
    );
    const common = namesOf(offers[0] ?? []);
    for (const offer of offers.map(namesOf)) for (const name of common) if (!offer.has(name)) common.delete(name);
    const votes = new Map<string, number>();
    for (const offer of offers) {
      const vote = offer.find((p) => common.has(p.name));
      if (vote === undefined) throw new Error(`no strategy is common to all members of ${this.groupId}`);
      votes.set(vote.name, (votes.get(vote.name) ?? 0) + 1);
    }
    const most = Math.max(...votes.values());
    for (const [name, count] of votes) if (count === most) return name;
    throw new Error(`group ${this.groupId} has no member`);
  }

  /** Begins the next generation with the members who are there; at least one. */
  nextGeneration(nowMs: number): void {
    this.generationId++;
    this.protocolName = this.selectProtocol();
    this.updateSubscribedTopics();
    this.transitionTo('CompletingRebalance', nowMs);
    this.pendingSync.clear();
  }

  /** Throws UNKNOWN_MEMBER_ID or FENCED_INSTANCE_ID unless this is a member, under its instance id if it names one. */
  requireMember(memberId: string, groupInstanceId: string | null): Member {
    if (groupInstanceId !== null) {
      const known = this.staticMembers.get(groupInstanceId);
      if (known === undefined) throw new KafkaError('UNKNOWN_MEMBER_ID');
      if (known !== memberId) throw new KafkaError('FENCED_INSTANCE_ID');
    }
    const member = this.members.get(memberId);
    if (member === undefined) throw new KafkaError('UNKNOWN_MEMBER_ID');
    return member;
  }

  /** Whether the group's members read the topic; where that is not known, consumers are taken to. */
  isSubscribedTo(topic: string): boolean {
    return this.subscribedTopics === null ? this.usesConsumerProtocol() : this.subscribedTopics.has(topic);
  }

  /**
   * Who commits must be a member in the present generation; anybody may where there are no members. Clients before KIP-447
   * do not say in a transaction who they are: it alone fences them, and a rebalance does not matter to it.
   */
  requireCommitter(by: Committer): null {
    const { memberId, groupInstanceId, generationIdOrMemberEpoch: generationId, isTransactional } = by;
    if (generationId < 0 && this.isEmpty()) return null;
    if (generationId < 0 && memberId === '' && groupInstanceId === null) {
      if (isTransactional) return null;
      throw new KafkaError('UNKNOWN_MEMBER_ID');
    }
    this.requireMember(memberId, groupInstanceId);
    if (generationId !== this.generationId) throw new KafkaError('ILLEGAL_GENERATION');
    // it has its generation but not its assignment yet: it is to go on and commit then
    if (this.state === 'CompletingRebalance' && !isTransactional) throw new KafkaError('REBALANCE_IN_PROGRESS');
    return null;
  }

  requireFetcher(): void {
    // anybody may ask
  }

  requireDeletableOffsets(): void {
    if (!this.isEmpty() && !this.usesConsumerProtocol()) throw new KafkaError('NON_EMPTY_GROUP');
  }

  /**
   * Since the last member left; for consumers without a group, and for topics that the members of a stable group no longer
   * read, since the commit.
   */
  retentionStart(): ((stored: StoredOffset) => number) | null {
    const sinceCommit = (stored: StoredOffset) => stored.commitTimestampMs;
    if (this.protocolType === null) return sinceCommit;
    if (this.isEmpty()) return this.stateTimestampMs === -1 ? sinceCommit : () => this.stateTimestampMs;
    const isKnown = this.state === 'Stable' && this.usesConsumerProtocol() && this.subscribedTopics !== null;
    return isKnown ? sinceCommit : null;
  }

  tombstones(): ClassicRecord[] {
    return [classicTombstone(this.groupId)];
  }

  /** The members as their leader is told of them. */
  membersForLeader(): NonNullable<JoinResponse['members']> {
    const protocolName = this.protocolName as string;
    return [...this.members.values()].map((m) => ({
      memberId: m.memberId,
      groupInstanceId: m.groupInstanceId,
      metadata: m.metadata(protocolName),
    }));
  }

  /** Applies what the log says of the group; what is only in memory (who waits, ids given out) stays. */
  apply(value: GroupMetadata): void {
    const stored = new Set(value.members.map((m) => m.memberId));
    for (const memberId of [...this.members.keys()]) if (!stored.has(memberId)) this.remove(memberId);
    for (const member of value.members) this.applyMember(value, member);
    this.protocolType = value.protocolType === '' ? null : value.protocolType;
    this.protocolName = value.protocol;
    this.generationId = value.generation;
    this.leaderId = value.leader;
    this.stateTimestampMs = toNumber(value.currentStateTimestamp);
    const state = this.members.size === 0 ? 'Empty' : 'Stable';
    if (this.state !== state) this.enter(state);
    this.updateSubscribedTopics();
  }

  private applyMember(value: GroupMetadata, stored: GroupMetadata['members'][number]): void {
    const protocols = [{ name: value.protocol ?? '', metadata: Buffer.from(stored.subscription) }];
    const rebalanceTimeoutMs = stored.rebalanceTimeout === -1 ? stored.sessionTimeout : stored.rebalanceTimeout;
    const sessionTimeoutMs = stored.sessionTimeout;
    let member = this.members.get(stored.memberId);
    if (member === undefined) {
      const { memberId, groupInstanceId, clientId, clientHost } = stored;
      const { protocolType } = value;
      const names = { memberId, groupInstanceId, clientId, clientHost, protocolType };
      member = new Member({ ...names, rebalanceTimeoutMs, sessionTimeoutMs, protocols });
      this.add(member, null);
    } else if (!member.offersAlso(protocols[0])) {
      this.setProtocols(member, protocols);
    }
    member.rebalanceTimeoutMs = rebalanceTimeoutMs;
    member.sessionTimeoutMs = sessionTimeoutMs;
    member.assignment = Buffer.from(stored.assignment);
  }

  private updateSubscribedTopics(): void {
    this.subscribedTopics = this.readSubscribedTopics();
  }

  private readSubscribedTopics(): ReadonlySet<string> | null {
    if (!this.usesConsumerProtocol()) return null;
    if (this.members.size === 0) return new Set();
    const { protocolName } = this;
    if (protocolName === null) return null;
    return subscribedTopics([...this.members.values()].map((m) => m.metadata(protocolName)));
  }

  private count(protocols: readonly Protocol[], change: number): void {
    for (const { name } of protocols) this.offered.set(name, (this.offered.get(name) ?? 0) + change);
  }
}

const namesOf = (protocols: readonly Protocol[]): Set<string> => new Set(protocols.map((p) => p.name));
