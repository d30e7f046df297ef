/** Every declared message by its name: for the wire tool and for the proofs. The broker itself imports what it uses. */
import {
  ConsumerGroupCurrentMemberAssignmentKey,
  ConsumerGroupCurrentMemberAssignmentValue,
} from './groups/consumer-group-current-member-assignment.ts';
import {
  ConsumerGroupMemberMetadataKey,
  ConsumerGroupMemberMetadataValue,
} from './groups/consumer-group-member-metadata.ts';
import { ConsumerGroupMetadataKey, ConsumerGroupMetadataValue } from './groups/consumer-group-metadata.ts';
import {
  ConsumerGroupPartitionMetadataKey,
  ConsumerGroupPartitionMetadataValue,
} from './groups/consumer-group-partition-metadata.ts';
import {
  ConsumerGroupRegularExpressionKey,
  ConsumerGroupRegularExpressionValue,
} from './groups/consumer-group-regular-expression.ts';
import {
  ConsumerGroupTargetAssignmentMemberKey,
  ConsumerGroupTargetAssignmentMemberValue,
} from './groups/consumer-group-target-assignment-member.ts';
import {
  ConsumerGroupTargetAssignmentMetadataKey,
  ConsumerGroupTargetAssignmentMetadataValue,
} from './groups/consumer-group-target-assignment-metadata.ts';
import { ConsumerProtocolAssignment, ConsumerProtocolSubscription } from './groups/consumer-protocol.ts';
import { GroupMetadataKey, GroupMetadataValue } from './groups/group-metadata.ts';
import { LegacyOffsetCommitKey, LegacyOffsetCommitValue } from './groups/legacy-offset-commit.ts';
import { OffsetCommitKey, OffsetCommitValue } from './groups/offset-commit.ts';
import {
  ShareGroupCurrentMemberAssignmentKey,
  ShareGroupCurrentMemberAssignmentValue,
} from './groups/share-group-current-member-assignment.ts';
import { ShareGroupMemberMetadataKey, ShareGroupMemberMetadataValue } from './groups/share-group-member-metadata.ts';
import { ShareGroupMetadataKey, ShareGroupMetadataValue } from './groups/share-group-metadata.ts';
import {
  ShareGroupStatePartitionMetadataKey,
  ShareGroupStatePartitionMetadataValue,
} from './groups/share-group-state-partition-metadata.ts';
import {
  ShareGroupTargetAssignmentMemberKey,
  ShareGroupTargetAssignmentMemberValue,
} from './groups/share-group-target-assignment-member.ts';
import {
  ShareGroupTargetAssignmentMetadataKey,
  ShareGroupTargetAssignmentMetadataValue,
} from './groups/share-group-target-assignment-metadata.ts';
import {
  StreamsGroupCurrentMemberAssignmentKey,
  StreamsGroupCurrentMemberAssignmentValue,
} from './groups/streams-group-current-member-assignment.ts';
import {
  StreamsGroupMemberMetadataKey,
  StreamsGroupMemberMetadataValue,
} from './groups/streams-group-member-metadata.ts';
import { StreamsGroupMetadataKey, StreamsGroupMetadataValue } from './groups/streams-group-metadata.ts';
import {
  StreamsGroupTargetAssignmentMemberKey,
  StreamsGroupTargetAssignmentMemberValue,
} from './groups/streams-group-target-assignment-member.ts';
import {
  StreamsGroupTargetAssignmentMetadataKey,
  StreamsGroupTargetAssignmentMetadataValue,
} from './groups/streams-group-target-assignment-metadata.ts';
import { StreamsGroupTopologyKey, StreamsGroupTopologyValue } from './groups/streams-group-topology.ts';
import { RequestHeader, ResponseHeader } from './header-schemas.ts';
import { DefaultPrincipalData } from './messages/default-principal.ts';
import { apis } from './messages/index.ts';
import { AbortTransactionRecord } from './metadata/abort-transaction.ts';
import { AccessControlEntryRecord } from './metadata/access-control-entry.ts';
import { BeginTransactionRecord } from './metadata/begin-transaction.ts';
import { BrokerRegistrationChangeRecord } from './metadata/broker-registration-change.ts';
import { ClearElrRecord } from './metadata/clear-elr.ts';
import { ClientQuotaRecord } from './metadata/client-quota.ts';
import { ConfigRecord } from './metadata/config.ts';
import { DelegationTokenRecord } from './metadata/delegation-token.ts';
import { EndTransactionRecord } from './metadata/end-transaction.ts';
import { FeatureLevelRecord } from './metadata/feature-level.ts';
import { FenceBrokerRecord } from './metadata/fence-broker.ts';
import { NoOpRecord } from './metadata/no-op.ts';
import { PartitionRecord } from './metadata/partition.ts';
import { PartitionChangeRecord } from './metadata/partition-change.ts';
import { ProducerIdsRecord } from './metadata/producer-ids.ts';
import { QuorumStateData } from './metadata/quorum-state.ts';
import { RegisterBrokerRecord } from './metadata/register-broker.ts';
import { RegisterControllerRecord } from './metadata/register-controller.ts';
import { RemoveAccessControlEntryRecord } from './metadata/remove-access-control-entry.ts';
import { RemoveDelegationTokenRecord } from './metadata/remove-delegation-token.ts';
import { RemoveTopicRecord } from './metadata/remove-topic.ts';
import { RemoveUserScramCredentialRecord } from './metadata/remove-user-scram-credential.ts';
import { TopicRecord } from './metadata/topic.ts';
import { UnfenceBrokerRecord } from './metadata/unfence-broker.ts';
import { UnregisterBrokerRecord } from './metadata/unregister-broker.ts';
import { UserScramCredentialRecord } from './metadata/user-scram-credential.ts';
import { ZkMigrationStateRecord } from './metadata/zk-migration-state.ts';
import {
  ControlRecordTypeSchema,
  EndTxnMarker,
  KRaftVersionRecord,
  LeaderChangeMessage,
  SnapshotFooterRecord,
  SnapshotHeaderRecord,
  VotersRecord,
} from './records/control-records.ts';
import type { Message } from './schema.ts';
import { ShareSnapshotKey, ShareSnapshotValue } from './shares/share-snapshot.ts';
import { ShareUpdateKey, ShareUpdateValue } from './shares/share-update.ts';
import { TransactionLogKey, TransactionLogValue } from './transactions/transaction-log.ts';

const records: readonly Message[] = [
  ConsumerGroupCurrentMemberAssignmentKey,
  ConsumerGroupCurrentMemberAssignmentValue,
  ConsumerGroupMemberMetadataKey,
  ConsumerGroupMemberMetadataValue,
  ConsumerGroupMetadataKey,
  ConsumerGroupMetadataValue,
  ConsumerGroupPartitionMetadataKey,
  ConsumerGroupPartitionMetadataValue,
  ConsumerGroupRegularExpressionKey,
  ConsumerGroupRegularExpressionValue,
  ConsumerGroupTargetAssignmentMemberKey,
  ConsumerGroupTargetAssignmentMemberValue,
  ConsumerGroupTargetAssignmentMetadataKey,
  ConsumerGroupTargetAssignmentMetadataValue,
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription,
  GroupMetadataKey,
  GroupMetadataValue,
  LegacyOffsetCommitKey,
  LegacyOffsetCommitValue,
  OffsetCommitKey,
  OffsetCommitValue,
  ShareGroupCurrentMemberAssignmentKey,
  ShareGroupCurrentMemberAssignmentValue,
  ShareGroupMemberMetadataKey,
  ShareGroupMemberMetadataValue,
  ShareGroupMetadataKey,
  ShareGroupMetadataValue,
  ShareGroupStatePartitionMetadataKey,
  ShareGroupStatePartitionMetadataValue,
  ShareGroupTargetAssignmentMemberKey,
  ShareGroupTargetAssignmentMemberValue,
  ShareGroupTargetAssignmentMetadataKey,
  ShareGroupTargetAssignmentMetadataValue,
  StreamsGroupCurrentMemberAssignmentKey,
  StreamsGroupCurrentMemberAssignmentValue,
  StreamsGroupMemberMetadataKey,
  StreamsGroupMemberMetadataValue,
  StreamsGroupMetadataKey,
  StreamsGroupMetadataValue,
  StreamsGroupTargetAssignmentMemberKey,
  StreamsGroupTargetAssignmentMemberValue,
  StreamsGroupTargetAssignmentMetadataKey,
  StreamsGroupTargetAssignmentMetadataValue,
  StreamsGroupTopologyKey,
  StreamsGroupTopologyValue,
  RequestHeader,
  ResponseHeader,
  DefaultPrincipalData,
  AbortTransactionRecord,
  AccessControlEntryRecord,
  BeginTransactionRecord,
  BrokerRegistrationChangeRecord,
  ClearElrRecord,
  ClientQuotaRecord,
  ConfigRecord,
  DelegationTokenRecord,
  EndTransactionRecord,
  FeatureLevelRecord,
  FenceBrokerRecord,
  NoOpRecord,
  PartitionChangeRecord,
  PartitionRecord,
  ProducerIdsRecord,
  QuorumStateData,
  RegisterBrokerRecord,
  RegisterControllerRecord,
  RemoveAccessControlEntryRecord,
  RemoveDelegationTokenRecord,
  RemoveTopicRecord,
  RemoveUserScramCredentialRecord,
  TopicRecord,
  UnfenceBrokerRecord,
  UnregisterBrokerRecord,
  UserScramCredentialRecord,
  ZkMigrationStateRecord,
  ControlRecordTypeSchema,
  EndTxnMarker,
  KRaftVersionRecord,
  LeaderChangeMessage,
  SnapshotFooterRecord,
  SnapshotHeaderRecord,
  VotersRecord,
  ShareSnapshotKey,
  ShareSnapshotValue,
  ShareUpdateKey,
  ShareUpdateValue,
  TransactionLogKey,
  TransactionLogValue,
];

export const allMessages: ReadonlyMap<string, Message> = new Map(
  [...Object.values(apis).flatMap((api): Message[] => [api.request, api.response]), ...records].map((m) => [m.name, m]),
);
