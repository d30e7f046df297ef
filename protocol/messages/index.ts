/** Every API of the protocol by key: the schemas of its request and response. */
import { ProduceRequest, ProduceResponse } from './00-produce.ts';
import { FetchRequest, FetchResponse } from './01-fetch.ts';
import { ListOffsetsRequest, ListOffsetsResponse } from './02-list-offsets.ts';
import { MetadataRequest, MetadataResponse } from './03-metadata.ts';
import { OffsetCommitRequest, OffsetCommitResponse } from './08-offset-commit.ts';
import { OffsetFetchRequest, OffsetFetchResponse } from './09-offset-fetch.ts';
import { FindCoordinatorRequest, FindCoordinatorResponse } from './10-find-coordinator.ts';
import { JoinGroupRequest, JoinGroupResponse } from './11-join-group.ts';
import { HeartbeatRequest, HeartbeatResponse } from './12-heartbeat.ts';
import { LeaveGroupRequest, LeaveGroupResponse } from './13-leave-group.ts';
import { SyncGroupRequest, SyncGroupResponse } from './14-sync-group.ts';
import { DescribeGroupsRequest, DescribeGroupsResponse } from './15-describe-groups.ts';
import { ListGroupsRequest, ListGroupsResponse } from './16-list-groups.ts';
import { SaslHandshakeRequest, SaslHandshakeResponse } from './17-sasl-handshake.ts';
import { ApiVersionsRequest, ApiVersionsResponse } from './18-api-versions.ts';
import { CreateTopicsRequest, CreateTopicsResponse } from './19-create-topics.ts';
import { DeleteTopicsRequest, DeleteTopicsResponse } from './20-delete-topics.ts';
import { DeleteRecordsRequest, DeleteRecordsResponse } from './21-delete-records.ts';
import { InitProducerIdRequest, InitProducerIdResponse } from './22-init-producer-id.ts';
import { OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse } from './23-offset-for-leader-epoch.ts';
import { AddPartitionsToTxnRequest, AddPartitionsToTxnResponse } from './24-add-partitions-to-txn.ts';
import { AddOffsetsToTxnRequest, AddOffsetsToTxnResponse } from './25-add-offsets-to-txn.ts';
import { EndTxnRequest, EndTxnResponse } from './26-end-txn.ts';
import { WriteTxnMarkersRequest, WriteTxnMarkersResponse } from './27-write-txn-markers.ts';
import { TxnOffsetCommitRequest, TxnOffsetCommitResponse } from './28-txn-offset-commit.ts';
import { DescribeAclsRequest, DescribeAclsResponse } from './29-describe-acls.ts';
import { CreateAclsRequest, CreateAclsResponse } from './30-create-acls.ts';
import { DeleteAclsRequest, DeleteAclsResponse } from './31-delete-acls.ts';
import { DescribeConfigsRequest, DescribeConfigsResponse } from './32-describe-configs.ts';
import { AlterConfigsRequest, AlterConfigsResponse } from './33-alter-configs.ts';
import { AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse } from './34-alter-replica-log-dirs.ts';
import { DescribeLogDirsRequest, DescribeLogDirsResponse } from './35-describe-log-dirs.ts';
import { SaslAuthenticateRequest, SaslAuthenticateResponse } from './36-sasl-authenticate.ts';
import { CreatePartitionsRequest, CreatePartitionsResponse } from './37-create-partitions.ts';
import { CreateDelegationTokenRequest, CreateDelegationTokenResponse } from './38-create-delegation-token.ts';
import { RenewDelegationTokenRequest, RenewDelegationTokenResponse } from './39-renew-delegation-token.ts';
import { ExpireDelegationTokenRequest, ExpireDelegationTokenResponse } from './40-expire-delegation-token.ts';
import { DescribeDelegationTokenRequest, DescribeDelegationTokenResponse } from './41-describe-delegation-token.ts';
import { DeleteGroupsRequest, DeleteGroupsResponse } from './42-delete-groups.ts';
import { ElectLeadersRequest, ElectLeadersResponse } from './43-elect-leaders.ts';
import { IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse } from './44-incremental-alter-configs.ts';
import {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse,
} from './45-alter-partition-reassignments.ts';
import {
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsResponse,
} from './46-list-partition-reassignments.ts';
import { OffsetDeleteRequest, OffsetDeleteResponse } from './47-offset-delete.ts';
import { DescribeClientQuotasRequest, DescribeClientQuotasResponse } from './48-describe-client-quotas.ts';
import { AlterClientQuotasRequest, AlterClientQuotasResponse } from './49-alter-client-quotas.ts';
import {
  DescribeUserScramCredentialsRequest,
  DescribeUserScramCredentialsResponse,
} from './50-describe-user-scram-credentials.ts';
import {
  AlterUserScramCredentialsRequest,
  AlterUserScramCredentialsResponse,
} from './51-alter-user-scram-credentials.ts';
import { VoteRequest, VoteResponse } from './52-vote.ts';
import { BeginQuorumEpochRequest, BeginQuorumEpochResponse } from './53-begin-quorum-epoch.ts';
import { EndQuorumEpochRequest, EndQuorumEpochResponse } from './54-end-quorum-epoch.ts';
import { DescribeQuorumRequest, DescribeQuorumResponse } from './55-describe-quorum.ts';
import { AlterPartitionRequest, AlterPartitionResponse } from './56-alter-partition.ts';
import { UpdateFeaturesRequest, UpdateFeaturesResponse } from './57-update-features.ts';
import { EnvelopeRequest, EnvelopeResponse } from './58-envelope.ts';
import { FetchSnapshotRequest, FetchSnapshotResponse } from './59-fetch-snapshot.ts';
import { DescribeClusterRequest, DescribeClusterResponse } from './60-describe-cluster.ts';
import { DescribeProducersRequest, DescribeProducersResponse } from './61-describe-producers.ts';
import { BrokerRegistrationRequest, BrokerRegistrationResponse } from './62-broker-registration.ts';
import { BrokerHeartbeatRequest, BrokerHeartbeatResponse } from './63-broker-heartbeat.ts';
import { UnregisterBrokerRequest, UnregisterBrokerResponse } from './64-unregister-broker.ts';
import { DescribeTransactionsRequest, DescribeTransactionsResponse } from './65-describe-transactions.ts';
import { ListTransactionsRequest, ListTransactionsResponse } from './66-list-transactions.ts';
import { AllocateProducerIdsRequest, AllocateProducerIdsResponse } from './67-allocate-producer-ids.ts';
import { ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse } from './68-consumer-group-heartbeat.ts';
import { ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse } from './69-consumer-group-describe.ts';
import { ControllerRegistrationRequest, ControllerRegistrationResponse } from './70-controller-registration.ts';
import {
  GetTelemetrySubscriptionsRequest,
  GetTelemetrySubscriptionsResponse,
} from './71-get-telemetry-subscriptions.ts';
import { PushTelemetryRequest, PushTelemetryResponse } from './72-push-telemetry.ts';
import { AssignReplicasToDirsRequest, AssignReplicasToDirsResponse } from './73-assign-replicas-to-dirs.ts';
import { ListConfigResourcesRequest, ListConfigResourcesResponse } from './74-list-config-resources.ts';
import { DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse } from './75-describe-topic-partitions.ts';
import { ShareGroupHeartbeatRequest, ShareGroupHeartbeatResponse } from './76-share-group-heartbeat.ts';
import { ShareGroupDescribeRequest, ShareGroupDescribeResponse } from './77-share-group-describe.ts';
import { ShareFetchRequest, ShareFetchResponse } from './78-share-fetch.ts';
import { ShareAcknowledgeRequest, ShareAcknowledgeResponse } from './79-share-acknowledge.ts';
import { AddRaftVoterRequest, AddRaftVoterResponse } from './80-add-raft-voter.ts';
import { RemoveRaftVoterRequest, RemoveRaftVoterResponse } from './81-remove-raft-voter.ts';
import { UpdateRaftVoterRequest, UpdateRaftVoterResponse } from './82-update-raft-voter.ts';
import {
  InitializeShareGroupStateRequest,
  InitializeShareGroupStateResponse,
} from './83-initialize-share-group-state.ts';
import { ReadShareGroupStateRequest, ReadShareGroupStateResponse } from './84-read-share-group-state.ts';
import { WriteShareGroupStateRequest, WriteShareGroupStateResponse } from './85-write-share-group-state.ts';
import { DeleteShareGroupStateRequest, DeleteShareGroupStateResponse } from './86-delete-share-group-state.ts';
import {
  ReadShareGroupStateSummaryRequest,
  ReadShareGroupStateSummaryResponse,
} from './87-read-share-group-state-summary.ts';
import { StreamsGroupHeartbeatRequest, StreamsGroupHeartbeatResponse } from './88-streams-group-heartbeat.ts';
import { StreamsGroupDescribeRequest, StreamsGroupDescribeResponse } from './89-streams-group-describe.ts';
import {
  DescribeShareGroupOffsetsRequest,
  DescribeShareGroupOffsetsResponse,
} from './90-describe-share-group-offsets.ts';
import { AlterShareGroupOffsetsRequest, AlterShareGroupOffsetsResponse } from './91-alter-share-group-offsets.ts';
import { DeleteShareGroupOffsetsRequest, DeleteShareGroupOffsetsResponse } from './92-delete-share-group-offsets.ts';

export const apis = {
  0: { request: ProduceRequest, response: ProduceResponse },
  1: { request: FetchRequest, response: FetchResponse },
  2: { request: ListOffsetsRequest, response: ListOffsetsResponse },
  3: { request: MetadataRequest, response: MetadataResponse },
  8: { request: OffsetCommitRequest, response: OffsetCommitResponse },
  9: { request: OffsetFetchRequest, response: OffsetFetchResponse },
  10: { request: FindCoordinatorRequest, response: FindCoordinatorResponse },
  11: { request: JoinGroupRequest, response: JoinGroupResponse },
  12: { request: HeartbeatRequest, response: HeartbeatResponse },
  13: { request: LeaveGroupRequest, response: LeaveGroupResponse },
  14: { request: SyncGroupRequest, response: SyncGroupResponse },
  15: { request: DescribeGroupsRequest, response: DescribeGroupsResponse },
  16: { request: ListGroupsRequest, response: ListGroupsResponse },
  17: { request: SaslHandshakeRequest, response: SaslHandshakeResponse },
  18: { request: ApiVersionsRequest, response: ApiVersionsResponse },
  19: { request: CreateTopicsRequest, response: CreateTopicsResponse },
  20: { request: DeleteTopicsRequest, response: DeleteTopicsResponse },
  21: { request: DeleteRecordsRequest, response: DeleteRecordsResponse },
  22: { request: InitProducerIdRequest, response: InitProducerIdResponse },
  23: { request: OffsetForLeaderEpochRequest, response: OffsetForLeaderEpochResponse },
  24: { request: AddPartitionsToTxnRequest, response: AddPartitionsToTxnResponse },
  25: { request: AddOffsetsToTxnRequest, response: AddOffsetsToTxnResponse },
  26: { request: EndTxnRequest, response: EndTxnResponse },
  27: { request: WriteTxnMarkersRequest, response: WriteTxnMarkersResponse },
  28: { request: TxnOffsetCommitRequest, response: TxnOffsetCommitResponse },
  29: { request: DescribeAclsRequest, response: DescribeAclsResponse },
  30: { request: CreateAclsRequest, response: CreateAclsResponse },
  31: { request: DeleteAclsRequest, response: DeleteAclsResponse },
  32: { request: DescribeConfigsRequest, response: DescribeConfigsResponse },
  33: { request: AlterConfigsRequest, response: AlterConfigsResponse },
  34: { request: AlterReplicaLogDirsRequest, response: AlterReplicaLogDirsResponse },
  35: { request: DescribeLogDirsRequest, response: DescribeLogDirsResponse },
  36: { request: SaslAuthenticateRequest, response: SaslAuthenticateResponse },
  37: { request: CreatePartitionsRequest, response: CreatePartitionsResponse },
  38: { request: CreateDelegationTokenRequest, response: CreateDelegationTokenResponse },
  39: { request: RenewDelegationTokenRequest, response: RenewDelegationTokenResponse },
  40: { request: ExpireDelegationTokenRequest, response: ExpireDelegationTokenResponse },
  41: { request: DescribeDelegationTokenRequest, response: DescribeDelegationTokenResponse },
  42: { request: DeleteGroupsRequest, response: DeleteGroupsResponse },
  43: { request: ElectLeadersRequest, response: ElectLeadersResponse },
  44: { request: IncrementalAlterConfigsRequest, response: IncrementalAlterConfigsResponse },
  45: { request: AlterPartitionReassignmentsRequest, response: AlterPartitionReassignmentsResponse },
  46: { request: ListPartitionReassignmentsRequest, response: ListPartitionReassignmentsResponse },
  47: { request: OffsetDeleteRequest, response: OffsetDeleteResponse },
  48: { request: DescribeClientQuotasRequest, response: DescribeClientQuotasResponse },
  49: { request: AlterClientQuotasRequest, response: AlterClientQuotasResponse },
  50: { request: DescribeUserScramCredentialsRequest, response: DescribeUserScramCredentialsResponse },
  51: { request: AlterUserScramCredentialsRequest, response: AlterUserScramCredentialsResponse },
  52: { request: VoteRequest, response: VoteResponse },
  53: { request: BeginQuorumEpochRequest, response: BeginQuorumEpochResponse },
  54: { request: EndQuorumEpochRequest, response: EndQuorumEpochResponse },
  55: { request: DescribeQuorumRequest, response: DescribeQuorumResponse },
  56: { request: AlterPartitionRequest, response: AlterPartitionResponse },
  57: { request: UpdateFeaturesRequest, response: UpdateFeaturesResponse },
  58: { request: EnvelopeRequest, response: EnvelopeResponse },
  59: { request: FetchSnapshotRequest, response: FetchSnapshotResponse },
  60: { request: DescribeClusterRequest, response: DescribeClusterResponse },
  61: { request: DescribeProducersRequest, response: DescribeProducersResponse },
  62: { request: BrokerRegistrationRequest, response: BrokerRegistrationResponse },
  63: { request: BrokerHeartbeatRequest, response: BrokerHeartbeatResponse },
  64: { request: UnregisterBrokerRequest, response: UnregisterBrokerResponse },
  65: { request: DescribeTransactionsRequest, response: DescribeTransactionsResponse },
  66: { request: ListTransactionsRequest, response: ListTransactionsResponse },
  67: { request: AllocateProducerIdsRequest, response: AllocateProducerIdsResponse },
  68: { request: ConsumerGroupHeartbeatRequest, response: ConsumerGroupHeartbeatResponse },
  69: { request: ConsumerGroupDescribeRequest, response: ConsumerGroupDescribeResponse },
  70: { request: ControllerRegistrationRequest, response: ControllerRegistrationResponse },
  71: { request: GetTelemetrySubscriptionsRequest, response: GetTelemetrySubscriptionsResponse },
  72: { request: PushTelemetryRequest, response: PushTelemetryResponse },
  73: { request: AssignReplicasToDirsRequest, response: AssignReplicasToDirsResponse },
  74: { request: ListConfigResourcesRequest, response: ListConfigResourcesResponse },
  75: { request: DescribeTopicPartitionsRequest, response: DescribeTopicPartitionsResponse },
  76: { request: ShareGroupHeartbeatRequest, response: ShareGroupHeartbeatResponse },
  77: { request: ShareGroupDescribeRequest, response: ShareGroupDescribeResponse },
  78: { request: ShareFetchRequest, response: ShareFetchResponse },
  79: { request: ShareAcknowledgeRequest, response: ShareAcknowledgeResponse },
  80: { request: AddRaftVoterRequest, response: AddRaftVoterResponse },
  81: { request: RemoveRaftVoterRequest, response: RemoveRaftVoterResponse },
  82: { request: UpdateRaftVoterRequest, response: UpdateRaftVoterResponse },
  83: { request: InitializeShareGroupStateRequest, response: InitializeShareGroupStateResponse },
  84: { request: ReadShareGroupStateRequest, response: ReadShareGroupStateResponse },
  85: { request: WriteShareGroupStateRequest, response: WriteShareGroupStateResponse },
  86: { request: DeleteShareGroupStateRequest, response: DeleteShareGroupStateResponse },
  87: { request: ReadShareGroupStateSummaryRequest, response: ReadShareGroupStateSummaryResponse },
  88: { request: StreamsGroupHeartbeatRequest, response: StreamsGroupHeartbeatResponse },
  89: { request: StreamsGroupDescribeRequest, response: StreamsGroupDescribeResponse },
  90: { request: DescribeShareGroupOffsetsRequest, response: DescribeShareGroupOffsetsResponse },
  91: { request: AlterShareGroupOffsetsRequest, response: AlterShareGroupOffsetsResponse },
  92: { request: DeleteShareGroupOffsetsRequest, response: DeleteShareGroupOffsetsResponse },
} as const;

export type ApiKey = keyof typeof apis;
