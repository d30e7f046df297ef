import type { ShareGroupCurrentMemberAssignmentValue } from '../../../protocol/groups/share-group-current-member-assignment.ts';
import type { ShareGroupMemberMetadataValue } from '../../../protocol/groups/share-group-member-metadata.ts';
import type { MessageOf } from '../../../protocol/schema.ts';
import { isSameSet } from './sets.ts';
import { fromListed, isSamePartitions, listed, NO_PARTITIONS, type TopicPartitions } from './topic-partitions.ts';

export type MemberMetadata = MessageOf<typeof ShareGroupMemberMetadataValue>;
export type CurrentAssignment = MessageOf<typeof ShareGroupCurrentMemberAssignmentValue>;

/** A member of a share group as the log knows it. Immutable. */
export interface ShareMember {
  readonly memberId: string;
  /** The epoch of the assignment that the member has been given; 0 before the first. */
  readonly memberEpoch: number;
  /** The one before, which the member may still send when a response was lost; -1 before the first. */
  readonly previousMemberEpoch: number;
  readonly rackId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly subscribedTopicNames: ReadonlySet<string>;
  readonly assigned: TopicPartitions;
}

/** MemberState.STABLE: a member of a share group has no other state, for nothing has to be revoked before it is given away. */
const STABLE = 0;

export function newMember(memberId: string): ShareMember {
  return {
    memberId,
    memberEpoch: 0,
    previousMemberEpoch: -1,
    rackId: null,
    clientId: '',
    clientHost: '',
    subscribedTopicNames: new Set(),
    assigned: NO_PARTITIONS,
  };
}

export function withMetadata(member: ShareMember, value: MemberMetadata): ShareMember {
  const { rackId, clientId, clientHost } = value;
  return { ...member, rackId, clientId, clientHost, subscribedTopicNames: new Set(value.subscribedTopicNames) };
}

export function withAssignment(member: ShareMember, value: CurrentAssignment): ShareMember {
  const { memberEpoch, previousMemberEpoch } = value;
  return { ...member, memberEpoch, previousMemberEpoch, assigned: fromListed(value.assignedPartitions) };
}

/** What the log holds of what a member has said of itself. */
export function metadataOf(member: ShareMember): MemberMetadata {
  const { rackId, clientId, clientHost, subscribedTopicNames } = member;
  return { rackId, clientId, clientHost, subscribedTopicNames: [...subscribedTopicNames].sort() };
}

/** What the log holds of what a member has been given. */
export function assignmentOf(member: ShareMember): CurrentAssignment {
  const { memberEpoch, previousMemberEpoch, assigned } = member;
  return { memberEpoch, previousMemberEpoch, state: STABLE, assignedPartitions: listed(assigned) };
}

export function isSameMetadata(a: ShareMember, b: ShareMember): boolean {
  return (
    a.rackId === b.rackId &&
    a.clientId === b.clientId &&
    a.clientHost === b.clientHost &&
    isSameSet(a.subscribedTopicNames, b.subscribedTopicNames)
  );
}

export function isSameAssignment(a: ShareMember, b: ShareMember): boolean {
  return (
    a.memberEpoch === b.memberEpoch &&
    a.previousMemberEpoch === b.previousMemberEpoch &&
    isSamePartitions(a.assigned, b.assigned)
  );
}
