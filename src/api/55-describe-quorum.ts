import { ErrorCode } from '../../protocol/errors.ts';
import { DescribeQuorumRequest, DescribeQuorumResponse } from '../../protocol/messages/55-describe-quorum.ts';
import { METADATA_TOPIC } from '../../protocol/metadata-topic.ts';
import type { InputOf, MessageOf } from '../../protocol/schema.ts';
import { handler, type RequestContext } from './handler.ts';

type Request = MessageOf<typeof DescribeQuorumRequest>;
type Response = InputOf<typeof DescribeQuorumResponse>;
type PartitionResponse = NonNullable<NonNullable<Response['topics']>[number]['partitions']>[number];

const NOT_HOSTED = 'This server does not host this topic-partition.';

/** DescribeQuorum (KIP-595, KIP-836, KIP-853): leader, voters and how far each has come in the metadata log. */
export const describeQuorum = handler({
  request: DescribeQuorumRequest,
  response: DescribeQuorumResponse,
  versions: [0, 2],

  handle(context, request) {
    const isKnown = asksForMetadataLog(request);
    return {
      errorCode: 0,
      errorMessage: '',
      topics: request.topics.map(({ topicName, partitions }) => ({
        topicName,
        partitions: partitions.map(({ partitionIndex }) => (isKnown ? describe(context) : notHosted(partitionIndex))),
      })),
      ...(isKnown && context.apiVersion >= 2 ? { nodes: nodes(context) } : {}),
    };
  },

  failed: (_request, errorCode, errorMessage) => ({ errorCode, errorMessage, topics: [] }),
});

/** Anything beside the one partition that every node knows makes the whole question an unknown one. */
const asksForMetadataLog = ({ topics }: Request): boolean =>
  topics.length === 1 &&
  topics[0].topicName === METADATA_TOPIC &&
  topics[0].partitions.length === 1 &&
  topics[0].partitions[0].partitionIndex === 0;

const notHosted = (partitionIndex: number): PartitionResponse => ({
  partitionIndex,
  errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  errorMessage: NOT_HOSTED,
});

function describe({ broker, apiVersion }: RequestContext): PartitionResponse {
  const { leaderId, leaderEpoch, highWatermark, logEndOffset, voters } = broker.controller.quorum();
  const nowMs = broker.clock.nowMs();
  return {
    partitionIndex: 0,
    errorCode: 0,
    errorMessage: '',
    leaderId,
    leaderEpoch,
    highWatermark,
    currentVoters: voters.map(({ id, directoryId }) => ({
      replicaId: id,
      ...(apiVersion >= 2 ? { replicaDirectoryId: directoryId } : {}),
      logEndOffset,
      // the leader is always where it is
      lastFetchTimestamp: nowMs,
      lastCaughtUpTimestamp: nowMs,
    })),
    observers: [],
  };
}

const nodes = ({ broker }: RequestContext) =>
  broker.controller.quorum().voters.map(({ id, endpoints }) => ({ nodeId: id, listeners: endpoints }));
