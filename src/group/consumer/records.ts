/** The records of consumer groups in `__consumer_offsets`. A null value deletes. */
import {
  ConsumerGroupCurrentMemberAssignmentKey,
  ConsumerGroupCurrentMemberAssignmentValue,
} from '../../../protocol/groups/consumer-group-current-member-assignment.ts';
import {
  ConsumerGroupMemberMetadataKey,
  ConsumerGroupMemberMetadataValue,
} from '../../../protocol/groups/consumer-group-member-metadata.ts';
import {
  ConsumerGroupMetadataKey,
  ConsumerGroupMetadataValue,
} from '../../../protocol/groups/consumer-group-metadata.ts';
import {
  ConsumerGroupPartitionMetadataKey,
  ConsumerGroupPartitionMetadataValue,
} from '../../../protocol/groups/consumer-group-partition-metadata.ts';
import {
  ConsumerGroupRegularExpressionKey,
  ConsumerGroupRegularExpressionValue,
} from '../../../protocol/groups/consumer-group-regular-expression.ts';
import {
  ConsumerGroupTargetAssignmentMemberKey,
  ConsumerGroupTargetAssignmentMemberValue,
} from '../../../protocol/groups/consumer-group-target-assignment-member.ts';
import {
  ConsumerGroupTargetAssignmentMetadataKey,
  ConsumerGroupTargetAssignmentMetadataValue,
} from '../../../protocol/groups/consumer-group-target-assignment-metadata.ts';
import { type Int64, toNumber } from '../../../protocol/int64.ts';
import type { Reader } from '../../../protocol/reader.ts';
import type { CoordinatorRecord } from '../../coordinator/log.ts';
import { RecordForm } from '../../coordinator/record-form.ts';
import type { ConsumerMember, MemberStateValue } from './consumer-member.ts';
import { MemberState } from './consumer-member.ts';
import { listed, type OwnedPartitions, type Partitions, partitionsOf } from './partitions.ts';

/** What a member says of itself. */
export type MemberMetadata = Pick<
  ConsumerMember,
  | 'instanceId'
  | 'rackId'
  | 'rebalanceTimeoutMs'
  | 'clientId'
  | 'clientHost'
  | 'subscribedTopicNames'
  | 'subscribedTopicRegex'
  | 'serverAssignor'
  | 'classic'
>;

/** What a member is assigned. */
export type CurrentAssignment = Pick<
  ConsumerMember,
  'memberEpoch' | 'previousMemberEpoch' | 'state' | 'assignedPartitions' | 'partitionsPendingRevocation'
>;

/** The topics that a regular expression matches. */
export interface ResolvedRegularExpression {
  readonly topics: ReadonlySet<string>;
  /** Offset of the metadata image that it was matched against. */
  readonly version: number;
  readonly timestampMs: number;
}

export type ConsumerRecord = { readonly type: 'consumer'; readonly groupId: string } & (
  | { readonly kind: 'member'; readonly memberId: string; readonly value: MemberMetadata | null }
  | { readonly kind: 'group'; readonly value: { readonly epoch: number; readonly metadataHash: Int64 } | null }
  /** Written before Kafka 4.1: the hash in the group's record has taken its place. Only deleted, never written. */
  | { readonly kind: 'subscription-metadata'; readonly value: 'present' | null }
  | { readonly kind: 'target-member'; readonly memberId: string; readonly value: Partitions | null }
  | {
      readonly kind: 'target';
      readonly value: { readonly assignmentEpoch: number; readonly assignmentTimestampMs: number } | null;
    }
  | { readonly kind: 'current'; readonly memberId: string; readonly value: CurrentAssignment | null }
  | { readonly kind: 'regex'; readonly regex: string; readonly value: ResolvedRegularExpression | null }
);

const member = new RecordForm(ConsumerGroupMemberMetadataKey, ConsumerGroupMemberMetadataValue, 0);
const group = new RecordForm(ConsumerGroupMetadataKey, ConsumerGroupMetadataValue, 0);
const subscriptionMetadata = new RecordForm(ConsumerGroupPartitionMetadataKey, ConsumerGroupPartitionMetadataValue, 0);
const targetMember = new RecordForm(
  ConsumerGroupTargetAssignmentMemberKey,
  ConsumerGroupTargetAssignmentMemberValue,
  0,
);
const target = new RecordForm(ConsumerGroupTargetAssignmentMetadataKey, ConsumerGroupTargetAssignmentMetadataValue, 0);
const current = new RecordForm(ConsumerGroupCurrentMemberAssignmentKey, ConsumerGroupCurrentMemberAssignmentValue, 0);
const regex = new RecordForm(ConsumerGroupRegularExpressionKey, ConsumerGroupRegularExpressionValue, 0);

/** What the keys of the records begin with. */
export const CONSUMER_KINDS: readonly number[] = [
  member.kind,
  group.kind,
  subscriptionMetadata.kind,
  targetMember.kind,
  target.kind,
  current.kind,
  regex.kind,
];

export function encodeConsumer(record: ConsumerRecord): CoordinatorRecord {
  const { groupId } = record;
  switch (record.kind) {
    case 'member':
      return member.encode({ groupId, memberId: record.memberId }, record.value && memberFields(record.value));
    case 'group':
      return group.encode({ groupId }, record.value);
    case 'subscription-metadata':
      if (record.value !== null) throw new Error('subscription metadata is no longer written');
      return subscriptionMetadata.encode({ groupId }, null);
    case 'target-member':
      return targetMember.encode(
        { groupId, memberId: record.memberId },
        record.value && { topicPartitions: listed(record.value) },
      );
    case 'target':
      return target.encode(
        { groupId },
        record.value && {
          assignmentEpoch: record.value.assignmentEpoch,
          assignmentTimestamp: record.value.assignmentTimestampMs,
        },
      );
    case 'current':
      return current.encode({ groupId, memberId: record.memberId }, record.value && currentFields(record.value));
    case 'regex':
      return regex.encode({ groupId, regularExpression: record.regex }, record.value && regexFields(record.value));
  }
}

function memberFields({ classic, ...value }: MemberMetadata) {
  return {
    ...value,
    subscribedTopicNames: [...value.subscribedTopicNames].sort(),
    classicMemberMetadata: classic && {
      sessionTimeoutMs: classic.sessionTimeoutMs,
      supportedProtocols: [...classic.supportedProtocols],
    },
  };
}

function currentFields(value: CurrentAssignment) {
  return {
    memberEpoch: value.memberEpoch,
    previousMemberEpoch: value.previousMemberEpoch,
    state: value.state,
    assignedPartitions: withEpochs(value.assignedPartitions),
    partitionsPendingRevocation: withEpochs(value.partitionsPendingRevocation),
  };
}

function withEpochs(owned: OwnedPartitions) {
  return [...owned].map(([topicId, epochs]) => ({
    topicId,
    partitions: [...epochs.keys()],
    assignmentEpochs: [...epochs.values()],
  }));
}

function regexFields({ topics, version, timestampMs }: ResolvedRegularExpression) {
  return { topics: [...topics].sort(), version, timestamp: timestampMs };
}

/** `key`: behind its kind, which is one of CONSUMER_KINDS. Throws MalformedError. */
export function decodeConsumer(kind: number, key: Reader, value: Buffer | null): ConsumerRecord {
  const type = 'consumer';
  switch (kind) {
    case member.kind:
      return { type, kind: 'member', ...member.decodeKey(key), value: value && readMember(value) };
    case group.kind:
      return { type, kind: 'group', ...group.decodeKey(key), value: value && group.decodeValue(value) };
    case subscriptionMetadata.kind:
      return { type, kind: 'subscription-metadata', ...subscriptionMetadata.decodeKey(key), value: value && 'present' };
    case targetMember.kind:
      return { type, kind: 'target-member', ...targetMember.decodeKey(key), value: value && readTarget(value) };
    case target.kind:
      return { type, kind: 'target', ...target.decodeKey(key), value: value && readTargetMetadata(value) };
    case current.kind:
      return { type, kind: 'current', ...current.decodeKey(key), value: value && readCurrent(value) };
    case regex.kind: {
      const { groupId, regularExpression } = regex.decodeKey(key);
      return { type, kind: 'regex', groupId, regex: regularExpression, value: value && readRegex(value) };
    }
    default:
      throw new Error(`no record of a consumer group is of kind ${kind}`);
  }
}

function readMember(value: Buffer): MemberMetadata {
  const { subscribedTopicNames, classicMemberMetadata: classic, ...fields } = member.decodeValue(value);
  return {
    ...fields,
    subscribedTopicNames: new Set(subscribedTopicNames),
    classic: classic && {
      sessionTimeoutMs: classic.sessionTimeoutMs,
      // the buffer lives no longer than the call
      supportedProtocols: classic.supportedProtocols.map((p) => ({ name: p.name, metadata: Buffer.from(p.metadata) })),
    },
  };
}

const readTarget = (value: Buffer): Partitions => partitionsOf(targetMember.decodeValue(value).topicPartitions);

function readTargetMetadata(value: Buffer) {
  const { assignmentEpoch, assignmentTimestamp } = target.decodeValue(value);
  return { assignmentEpoch, assignmentTimestampMs: toNumber(assignmentTimestamp) };
}

function readCurrent(value: Buffer): CurrentAssignment {
  const fields = current.decodeValue(value);
  const { memberEpoch, previousMemberEpoch } = fields;
  const isKnown = (Object.values(MemberState) as number[]).includes(fields.state);
  return {
    memberEpoch,
    previousMemberEpoch,
    state: isKnown ? (fields.state as MemberStateValue) : MemberState.UNKNOWN,
    assignedPartitions: readOwned(fields.assignedPartitions, memberEpoch),
    partitionsPendingRevocation: readOwned(fields.partitionsPendingRevocation, memberEpoch),
  };
}

interface StoredPartitions {
  readonly topicId: string;
  readonly partitions: readonly number[];
  readonly assignmentEpochs: readonly number[] | null;
}

/** Before Kafka 4.3 there are no epochs: the partitions count as assigned in the member's. */
function readOwned(topics: readonly StoredPartitions[], memberEpoch: number): OwnedPartitions {
  return new Map(
    topics.map(({ topicId, partitions, assignmentEpochs }) => {
      const epochs = assignmentEpochs?.length === partitions.length ? assignmentEpochs : null;
      return [topicId, new Map(partitions.map((index, i) => [index, epochs?.[i] ?? Math.max(memberEpoch, 0)]))];
    }),
  );
}

function readRegex(value: Buffer): ResolvedRegularExpression {
  const { topics, version, timestamp } = regex.decodeValue(value);
  return { topics: new Set(topics), version: toNumber(version), timestampMs: toNumber(timestamp) };
}

/** Builds the records of one group. */
export class ConsumerRecords {
  readonly list: ConsumerRecord[] = [];
  private readonly groupId: string;

  constructor(groupId: string) {
    this.groupId = groupId;
  }

  member(of: ConsumerMember): void {
    const { instanceId, rackId, rebalanceTimeoutMs, clientId, clientHost } = of;
    const { subscribedTopicNames, subscribedTopicRegex, serverAssignor, classic } = of;
    const names = { instanceId, rackId, rebalanceTimeoutMs, clientId, clientHost };
    const value = { ...names, subscribedTopicNames, subscribedTopicRegex, serverAssignor, classic };
    this.list.push({ ...this.of('member'), memberId: of.memberId, value });
  }

  group(epoch: number, metadataHash: Int64): void {
    this.list.push({ ...this.of('group'), value: { epoch, metadataHash } });
  }

  targetMember(memberId: string, value: Partitions): void {
    this.list.push({ ...this.of('target-member'), memberId, value });
  }

  target(assignmentEpoch: number, assignmentTimestampMs: number): void {
    this.list.push({ ...this.of('target'), value: { assignmentEpoch, assignmentTimestampMs } });
  }

  current(of: ConsumerMember): void {
    const { memberId, memberEpoch, previousMemberEpoch, state } = of;
    const { assignedPartitions, partitionsPendingRevocation } = of;
    const value = { memberEpoch, previousMemberEpoch, state, assignedPartitions, partitionsPendingRevocation };
    this.list.push({ ...this.of('current'), memberId, value });
  }

  regex(regex: string, value: ResolvedRegularExpression | null): void {
    this.list.push({ ...this.of('regex'), regex, value });
  }

  /** Deletes the member, in the order in which its records may be replayed. */
  removeMember(memberId: string): void {
    this.list.push({ ...this.of('current'), memberId, value: null });
    this.list.push({ ...this.of('target-member'), memberId, value: null });
    this.list.push({ ...this.of('member'), memberId, value: null });
  }

  removeSubscriptionMetadata(): void {
    this.list.push({ ...this.of('subscription-metadata'), value: null });
  }

  /** Deletes the group with these members and regular expressions. */
  removeGroup(memberIds: readonly string[], regexes: readonly string[]): void {
    for (const memberId of memberIds) this.list.push({ ...this.of('current'), memberId, value: null });
    for (const memberId of memberIds) this.list.push({ ...this.of('target-member'), memberId, value: null });
    this.list.push({ ...this.of('target'), value: null });
    for (const memberId of memberIds) this.list.push({ ...this.of('member'), memberId, value: null });
    for (const regex of regexes) this.regex(regex, null);
    this.removeSubscriptionMetadata();
    this.list.push({ ...this.of('group'), value: null });
  }

  private of<K extends ConsumerRecord['kind']>(kind: K) {
    return { type: 'consumer', kind, groupId: this.groupId } as const;
  }
}
