import { isSameOwned, NONE_OWNED, type OwnedPartitions } from './partitions.ts';

/** How far a member is on its way to its target assignment, as records number it. */
export const MemberState = {
  /** It owns what it is assigned. */
  STABLE: 0,
  /** It has to give partitions up before it goes on. */
  UNREVOKED_PARTITIONS: 1,
  /** It waits for partitions that others have not given up yet. */
  UNRELEASED_PARTITIONS: 2,
  /** Of a state that a later release has: it has to begin anew. */
  UNKNOWN: 127,
} as const;

export type MemberStateValue = (typeof MemberState)[keyof typeof MemberState];

/** Member epochs that say that a member leaves: for good, or (a static one) for a while. */
export const LEAVE_EPOCH = -1;
export const LEAVE_STATIC_EPOCH = -2;

/** An assignment strategy of a member that speaks the classic protocol, with its embedded metadata. */
export interface ClassicProtocol {
  readonly name: string;
  readonly metadata: Buffer;
}

/** What is known of a member that speaks the classic protocol. */
export interface ClassicMemberMetadata {
  readonly sessionTimeoutMs: number;
  /** In the order in which the member prefers them; at least one. */
  readonly supportedProtocols: readonly ClassicProtocol[];
}

/** A member of a consumer group. Immutable: whatever changes makes another. */
export interface ConsumerMember {
  readonly memberId: string;
  readonly memberEpoch: number;
  readonly previousMemberEpoch: number;
  readonly state: MemberStateValue;
  readonly instanceId: string | null;
  readonly rackId: string | null;
  readonly rebalanceTimeoutMs: number;
  readonly clientId: string;
  readonly clientHost: string;
  readonly subscribedTopicNames: ReadonlySet<string>;
  /** Empty or null: none. */
  readonly subscribedTopicRegex: string | null;
  readonly serverAssignor: string | null;
  readonly assignedPartitions: OwnedPartitions;
  /** Those the member has to give up and may still own. */
  readonly partitionsPendingRevocation: OwnedPartitions;
  /** Null for a member that speaks the consumer protocol. */
  readonly classic: ClassicMemberMetadata | null;
}

export function newMember(memberId: string): ConsumerMember {
  return {
    memberId,
    memberEpoch: 0,
    previousMemberEpoch: -1,
    state: MemberState.STABLE,
    instanceId: null,
    rackId: null,
    rebalanceTimeoutMs: -1,
    clientId: '',
    clientHost: '',
    subscribedTopicNames: new Set(),
    subscribedTopicRegex: '',
    serverAssignor: null,
    assignedPartitions: NONE_OWNED,
    partitionsPendingRevocation: NONE_OWNED,
    classic: null,
  };
}

/** The member's regular expression; null where it has none. */
export const regexOf = (member: ConsumerMember | null): string | null => member?.subscribedTopicRegex || null;

export function isReconciledTo(member: ConsumerMember, assignmentEpoch: number): boolean {
  return member.state === MemberState.STABLE && member.memberEpoch === assignmentEpoch;
}

/** Whether what the member says of itself is the same: the fields of its metadata record. */
export function isSameMetadata(a: ConsumerMember, b: ConsumerMember): boolean {
  return (
    a.memberId === b.memberId &&
    a.instanceId === b.instanceId &&
    a.rackId === b.rackId &&
    a.rebalanceTimeoutMs === b.rebalanceTimeoutMs &&
    a.clientId === b.clientId &&
    a.clientHost === b.clientHost &&
    a.subscribedTopicRegex === b.subscribedTopicRegex &&
    a.serverAssignor === b.serverAssignor &&
    isSameSet(a.subscribedTopicNames, b.subscribedTopicNames) &&
    isSameClassic(a.classic, b.classic)
  );
}

/** Whether epochs, state and partitions are the same: the fields of its assignment record. */
export function isSameAssignment(a: ConsumerMember, b: ConsumerMember): boolean {
  return (
    a.memberEpoch === b.memberEpoch &&
    a.previousMemberEpoch === b.previousMemberEpoch &&
    a.state === b.state &&
    isSameOwned(a.assignedPartitions, b.assignedPartitions) &&
    isSameOwned(a.partitionsPendingRevocation, b.partitionsPendingRevocation)
  );
}

export function isSameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((one) => b.has(one));
}

function isSameClassic(a: ClassicMemberMetadata | null, b: ClassicMemberMetadata | null): boolean {
  if (a === null || b === null) return a === b;
  const [of, others] = [a.supportedProtocols, b.supportedProtocols];
  if (a.sessionTimeoutMs !== b.sessionTimeoutMs || of.length !== others.length) return false;
  return of.every((p, i) => p.name === others[i].name && p.metadata.equals(others[i].metadata));
}
