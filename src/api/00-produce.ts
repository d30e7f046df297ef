import { ErrorCode, type ErrorName, errorName } from '../../protocol/errors.ts';
import { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts';
import type { InputOf, MessageOf } from '../../protocol/schema.ts';
import { all, andThen, type Eventually } from '../coordinator/eventually.ts';
import { isInternalTopic } from '../coordinator/topics.ts';
import { AppendError } from '../partition/append-result.ts';
import type { Partition } from '../partition/partition.ts';
import { CloseConnection } from './close-connection.ts';
import { handler, type RequestContext } from './handler.ts';
import { missingPartition, missingPartitionById } from './missing-partition.ts';
import { unverified, type VerifiedPartitions, verifyTransaction } from './transactional-produce.ts';

type Request = MessageOf<typeof ProduceRequest>;
type Topic = Request['topicData'][number];
type TopicResponse = NonNullable<InputOf<typeof ProduceResponse>['responses']>[number];
type PartitionResponse = NonNullable<TopicResponse['partitionResponses']>[number];

/** Topic ids in place of names (KIP-516). */
const TOPIC_IDS_SINCE = 13;
/** Kafka's own admin client may write to internal topics; others may not. */
const ADMIN_CLIENT_ID = '__admin_client';

/** Refusals that say nothing of the log. */
const WITHOUT_LOG_START: ReadonlySet<ErrorName> = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'NOT_LEADER_OR_FOLLOWER',
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'CORRUPT_MESSAGE',
  'KAFKA_STORAGE_ERROR',
]);

/** Produce, synchronous from frame to page cache (DESIGN decision 4). */
export const produce = handler({
  request: ProduceRequest,
  response: ProduceResponse,
  versions: [3, 13],
  // older librdkafka takes a higher minimum for an ancient broker (KAFKA-18659)
  advertisedMin: 0,

  handle(context, request) {
    const topicData = eachOnce(request.topicData);
    const verified = verifyTransaction(context, request, topicData, (topic, index) => find(context, topic, index));
    return andThen(verified, (partitions) => appendAll(context, { ...request, topicData }, partitions));
  },

  failed(request, code, message) {
    if (request.acks === 0) throw new CloseConnection(`Produce with acks=0 failed: ${errorName(code)}`);
    return {
      responses: eachOnce(request.topicData).map(({ name, topicId, partitionData }) => ({
        name,
        topicId,
        partitionResponses: partitionData.map(({ index }) => refused(index, code, message)),
      })),
    };
  },
});

/** Each partition once, with the records that are named for it last, as Kafka reads the request; topics without any are left out. */
function eachOnce(topicData: readonly Topic[]): Topic[] {
  if (topicData.length === 1 && topicData[0].partitionData.length === 1) return [...topicData];
  const topics = new Map<string, { topic: Topic; partitions: Map<number, Topic['partitionData'][number]> }>();
  for (const topic of topicData) {
    const key = `${topic.name}/${topic.topicId}`;
    const { partitions } = topics.get(key) ?? { partitions: new Map() };
    for (const data of topic.partitionData) partitions.set(data.index, data);
    if (partitions.size > 0) topics.set(key, { topic, partitions });
  }
  return [...topics.values()].map(({ topic, partitions }) => ({ ...topic, partitionData: [...partitions.values()] }));
}

function appendAll(
  context: RequestContext,
  request: Request,
  verified: VerifiedPartitions,
): Eventually<InputOf<typeof ProduceResponse> | null> {
  const nowMs = context.broker.clock.nowMs();
  const topics = request.topicData.map((topic) => {
    const { name, topicId } = topic;
    const appended = topic.partitionData.map((p) => append(context, request, verified, topic, p, nowMs));
    return andThen(all(appended), (partitionResponses): TopicResponse => ({ name, topicId, partitionResponses }));
  });
  return andThen(all(topics), (responses) => (request.acks === 0 ? withoutResponse(responses) : { responses }));
}

function find({ broker, apiVersion }: RequestContext, { name, topicId }: Topic, index: number): Partition | undefined {
  return apiVersion >= TOPIC_IDS_SINCE ? broker.partitions.getById(topicId, index) : broker.partitions.get(name, index);
}

function append(
  context: RequestContext,
  request: Request,
  verified: VerifiedPartitions,
  topic: Topic,
  { index, records }: Topic['partitionData'][number],
  nowMs: number,
): Eventually<PartitionResponse> {
  if (request.acks < -1 || request.acks > 1) return refused(index, ErrorCode.INVALID_REQUIRED_ACKS, null);
  const partition = find(context, topic, index);
  if (partition === undefined) return refused(index, missing(context, topic, index), null);
  const verification = verified.get(partition);
  if (verification !== undefined && 'errorCode' in verification) {
    const { errorCode, message } = unverified(verification.errorCode, context.apiVersion);
    return refused(index, errorCode, message);
  }
  if (isInternalTopic(partition.topic) && context.clientId !== ADMIN_CLIENT_ID) {
    return refused(index, ErrorCode.INVALID_TOPIC_EXCEPTION, null);
  }
  if (request.acks === -1 && !enoughReplicas(partition)) {
    return { ...refused(index, ErrorCode.NOT_ENOUGH_REPLICAS, null), logStartOffset: partition.logStartOffset };
  }
  try {
    const checks = verification === undefined ? undefined : { verification: verification.guard };
    const appended = partition.append(records, context.apiVersion, nowMs, checks);
    const response = {
      index,
      baseOffset: appended.firstOffset,
      logAppendTimeMs: appended.logAppendTimeMs,
      logStartOffset: appended.logStartOffset,
    };
    const committed = partition.whenCommitted(appended.lastOffset + 1);
    if (committed === null) return response;
    return committed.then(
      () => response,
      (error) => refusedBy(context, partition, error),
    );
  } catch (error) {
    return refusedBy(context, partition, error);
  }
}

function missing({ apiVersion, broker }: RequestContext, { name, topicId }: Topic, index: number): number {
  return apiVersion >= TOPIC_IDS_SINCE
    ? missingPartitionById(broker, topicId, index)
    : missingPartition(broker, name, index);
}

/** No more replicas can be in sync than there are: min.insync.replicas counts up to them. */
function enoughReplicas({ state, config }: Partition): boolean {
  return state.isr.length >= Math.min(config.minInsyncReplicas, state.replicas.length);
}

function refused(index: number, errorCode: number, errorMessage: string | null): PartitionResponse {
  return { index, errorCode, baseOffset: -1, logAppendTimeMs: -1, logStartOffset: -1, errorMessage };
}

function refusedBy(context: RequestContext, partition: Partition, error: unknown): PartitionResponse {
  const { topic, index } = partition;
  if (error instanceof AppendError) {
    const { recordErrors } = error;
    // Kafka tells the log start where it was the log that refused
    const base = refused(index, ErrorCode[error.errorName], error.isTold ? error.message : null);
    const logStartOffset = error.inRequest || WITHOUT_LOG_START.has(error.errorName) ? -1 : partition.logStartOffset;
    return { ...base, logStartOffset, recordErrors };
  }
  context.broker.logger.error({ err: error, topic, partition: index }, 'append failed');
  return refused(index, ErrorCode.UNKNOWN_SERVER_ERROR, null);
}

/** With acks=0 nobody reads a response: a failure shows only in that the connection is closed, as Kafka does it. */
function withoutResponse(responses: readonly TopicResponse[]): null {
  for (const { name, partitionResponses } of responses) {
    for (const { index, errorCode } of partitionResponses ?? []) {
      if (errorCode) throw new CloseConnection(`Produce with acks=0 to ${name}-${index}: ${errorName(errorCode)}`);
    }
  }
  return null;
}
