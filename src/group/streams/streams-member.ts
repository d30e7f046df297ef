import { KafkaError } from '../../../protocol/errors.ts';
import type { StreamsGroupMemberMetadataValue } from '../../../protocol/groups/streams-group-member-metadata.ts';
import type { StreamsGroupHeartbeatRequest } from '../../../protocol/messages/88-streams-group-heartbeat.ts';
import type { MessageOf } from '../../../protocol/schema.ts';
import type { Caller } from '../caller.ts';
import { type AssignedTasks, NO_TASKS, sameAssignedTasks } from './tasks.ts';

/** How far a member has come on the way to its target assignment; the numbers stand in records. */
export const MemberState = {
  /** It has what it is to have in its epoch. */
  STABLE: 1,
  /** It has to give tasks back, and has not said yet that it did. */
  UNREVOKED_TASKS: 2,
  /** Tasks that it is to have are still with others. */
  UNRELEASED_TASKS: 3,
  /** Written by a later release. */
  UNKNOWN: 127,
} as const;
export type MemberStateValue = (typeof MemberState)[keyof typeof MemberState];

export type MemberMetadata = MessageOf<typeof StreamsGroupMemberMetadataValue>;
type HeartbeatRequest = MessageOf<typeof StreamsGroupHeartbeatRequest>;

/** A member of a streams group: one thread of an application. A value: what changes is a new one. */
export interface StreamsMember {
  readonly memberId: string;
  readonly memberEpoch: number;
  readonly previousMemberEpoch: number;
  readonly state: MemberStateValue;
  /** What it says of itself; the log keeps it in a record of its own. */
  readonly metadata: MemberMetadata;
  readonly assigned: AssignedTasks;
  readonly pendingRevocation: AssignedTasks;
}

const NO_METADATA: MemberMetadata = {
  instanceId: null,
  rackId: null,
  clientId: '',
  clientHost: '',
  rebalanceTimeoutMs: -1,
  topologyEpoch: -1,
  processId: '',
  userEndpoint: null,
  clientTags: [],
};

/** A member of which nothing is known yet but its id. */
export function newMember(memberId: string): StreamsMember {
  return {
    memberId,
    memberEpoch: 0,
    previousMemberEpoch: 0,
    state: MemberState.STABLE,
    metadata: NO_METADATA,
    assigned: NO_TASKS,
    pendingRevocation: NO_TASKS,
  };
}

/** Whether it has all it is to have in the epoch. */
export const isReconciledTo = (member: StreamsMember, targetEpoch: number): boolean =>
  member.state === MemberState.STABLE && member.memberEpoch === targetEpoch;

/** What the request says of the member; what it leaves out stays as it was. Throws UNKNOWN_SERVER_ERROR for a repeated client tag. */
export function updatedMetadata(metadata: MemberMetadata, caller: Caller, request: HeartbeatRequest): MemberMetadata {
  const { rackId, rebalanceTimeoutMs, topology, processId, clientTags, userEndpoint } = request;
  return {
    instanceId: metadata.instanceId,
    rackId: rackId ?? metadata.rackId,
    clientId: caller.clientId,
    clientHost: caller.clientHost,
    rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? metadata.rebalanceTimeoutMs : rebalanceTimeoutMs,
    topologyEpoch: topology?.epoch ?? metadata.topologyEpoch,
    processId: processId ?? metadata.processId,
    userEndpoint: userEndpoint === null ? metadata.userEndpoint : { host: userEndpoint.host, port: userEndpoint.port },
    clientTags: clientTags === null ? metadata.clientTags : sortedTags(clientTags),
  };
}

/** By key, as records hold them. Throws UNKNOWN_SERVER_ERROR where a key is there twice: Kafka fails while it makes a map of them. */
function sortedTags(tags: readonly { key: string; value: string }[]): MemberMetadata['clientTags'] {
  const byKey = new Map(tags.map(({ key, value }) => [key, value]));
  if (byKey.size < tags.length) throw new KafkaError('UNKNOWN_SERVER_ERROR', 'a client tag is there twice');
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => ({ key, value }));
}

export const sameMember = (a: StreamsMember, b: StreamsMember): boolean =>
  a.memberEpoch === b.memberEpoch &&
  a.previousMemberEpoch === b.previousMemberEpoch &&
  a.state === b.state &&
  sameMetadata(a.metadata, b.metadata) &&
  sameAssignedTasks(a.assigned, b.assigned) &&
  sameAssignedTasks(a.pendingRevocation, b.pendingRevocation);

export function sameMetadata(a: MemberMetadata, b: MemberMetadata): boolean {
  return (
    a.instanceId === b.instanceId &&
    a.rackId === b.rackId &&
    a.clientId === b.clientId &&
    a.clientHost === b.clientHost &&
    a.rebalanceTimeoutMs === b.rebalanceTimeoutMs &&
    a.topologyEpoch === b.topologyEpoch &&
    a.processId === b.processId &&
    a.userEndpoint?.host === b.userEndpoint?.host &&
    a.userEndpoint?.port === b.userEndpoint?.port &&
    a.clientTags.length === b.clientTags.length &&
    a.clientTags.every(({ key, value }, i) => key === b.clientTags[i].key && value === b.clientTags[i].value)
  );
}
