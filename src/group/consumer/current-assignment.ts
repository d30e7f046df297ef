/**
 * The way of one member from what it owns to its target: what the target does not hold is revoked first; when the member says
 * that it has given that up, it enters the target's epoch with those of its new partitions that nobody else owns any more.
 */
import { KafkaError } from '../../../protocol/errors.ts';
import { type ConsumerMember, MemberState } from './consumer-member.ts';
import { NONE_OWNED, type OwnedPartitions, type Partitions, type TopicPartitions, union } from './partitions.ts';

export interface Reconciliation {
  readonly member: ConsumerMember;
  readonly assignmentEpoch: number;
  readonly target: Partitions;
  /** Ids of the topics the member subscribes to that exist. */
  readonly subscribedTopicIds: ReadonlySet<string>;
  readonly hasSubscriptionChanged: boolean;
  /** What the member says it owns; null where it does not say. */
  readonly owned: readonly TopicPartitions[] | null;
  /** Whether some member has the partition or has yet to give it up. */
  isOwned(topicId: string, partition: number): boolean;
}

/** The member after the next step; the same object where there is none. Throws FENCED_MEMBER_EPOCH. */
export function reconcile(given: Reconciliation): ConsumerMember {
  const { member, assignmentEpoch } = given;
  switch (member.state) {
    case MemberState.STABLE:
      if (member.memberEpoch !== assignmentEpoch) return nextStep(given, member.memberEpoch);
      return given.hasSubscriptionChanged ? revokeUnsubscribed(given) : member;
    case MemberState.UNREVOKED_PARTITIONS:
      if (!stillOwns(given, member.partitionsPendingRevocation)) return nextStep(given, member.memberEpoch);
      return given.hasSubscriptionChanged ? revokeUnsubscribed(given) : member;
    case MemberState.UNRELEASED_PARTITIONS:
      return nextStep(given, member.memberEpoch);
    case MemberState.UNKNOWN:
      if (given.owned?.length === 0) return nextStep(given, assignmentEpoch);
      throw new KafkaError(
        'FENCED_MEMBER_EPOCH',
        'The consumer group member is in a unknown state. The member must abandon all its partitions and rejoin.',
      );
  }
}

/** A member that does not say what it owns may own all that it was ever told to. */
function stillOwns({ owned }: Reconciliation, revoked: OwnedPartitions): boolean {
  if (owned === null) return true;
  return owned.some(({ topicId, partitions }) => partitions.some((index) => revoked.get(topicId)?.has(index)));
}

/** The target stays; topics that the member no longer subscribes to are taken away at once. */
function revokeUnsubscribed(given: Reconciliation): ConsumerMember {
  const { member, subscribedTopicIds } = given;
  const kept = new Map([...member.assignedPartitions].filter(([topicId]) => subscribedTopicIds.has(topicId)));
  if (kept.size === member.assignedPartitions.size) return member;
  const gone = new Map([...member.assignedPartitions].filter(([topicId]) => !subscribedTopicIds.has(topicId)));
  const revoked = union(member.partitionsPendingRevocation, gone);
  const after = { ...member, previousMemberEpoch: member.memberEpoch, assignedPartitions: kept };
  if (!stillOwns(given, revoked)) return after;
  return { ...after, state: MemberState.UNREVOKED_PARTITIONS, partitionsPendingRevocation: revoked };
}

interface Difference {
  readonly kept: OwnedPartitions;
  readonly revoked: OwnedPartitions;
  /** Kept and those of the new ones that are free, which are the member's from the target's epoch on. */
  readonly next: OwnedPartitions;
  /** Some of the new ones are not free yet. */
  readonly hasUnreleased: boolean;
}

function nextStep(given: Reconciliation, memberEpoch: number): ConsumerMember {
  const { member, assignmentEpoch } = given;
  const { kept, revoked, next, hasUnreleased } = difference(given);
  const previousMemberEpoch = member.memberEpoch;
  if (revoked.size > 0 && stillOwns(given, revoked)) {
    const assigned = { assignedPartitions: kept, partitionsPendingRevocation: revoked };
    return { ...member, memberEpoch, previousMemberEpoch, state: MemberState.UNREVOKED_PARTITIONS, ...assigned };
  }
  return {
    ...member,
    memberEpoch: assignmentEpoch,
    previousMemberEpoch,
    state: hasUnreleased ? MemberState.UNRELEASED_PARTITIONS : MemberState.STABLE,
    assignedPartitions: next,
    partitionsPendingRevocation: NONE_OWNED,
  };
}

function difference(given: Reconciliation): Difference {
  const { member, target, subscribedTopicIds, assignmentEpoch, isOwned } = given;
  const kept = new Map<string, ReadonlyMap<number, number>>();
  const revoked = new Map<string, ReadonlyMap<number, number>>();
  const next = new Map<string, ReadonlyMap<number, number>>();
  let hasUnreleased = false;
  for (const topicId of new Set([...target.keys(), ...member.assignedPartitions.keys()])) {
    const wanted: ReadonlySet<number> = (subscribedTopicIds.has(topicId) && target.get(topicId)) || NOTHING;
    const present = [...(member.assignedPartitions.get(topicId) ?? [])];
    const keptHere = new Map(present.filter(([index]) => wanted.has(index)));
    const revokedHere = new Map(present.filter(([index]) => !wanted.has(index)));
    const nextHere = new Map(keptHere);
    for (const index of wanted) {
      if (keptHere.has(index)) continue;
      // what it had to give up itself it may have back
      const isFree = !isOwned(topicId, index) || member.partitionsPendingRevocation.get(topicId)?.has(index);
      if (isFree) nextHere.set(index, assignmentEpoch);
      else hasUnreleased = true;
    }
    if (keptHere.size > 0) kept.set(topicId, keptHere);
    if (revokedHere.size > 0) revoked.set(topicId, revokedHere);
    if (nextHere.size > 0) next.set(topicId, nextHere);
  }
  return { kept, revoked, next, hasUnreleased };
}

const NOTHING: ReadonlySet<number> = new Set();
