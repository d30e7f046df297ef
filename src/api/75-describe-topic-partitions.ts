import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import {
  DescribeTopicPartitionsRequest,
  DescribeTopicPartitionsResponse,
} from '../../protocol/messages/75-describe-topic-partitions.ts';
import type { InputOf, MessageOf } from '../../protocol/schema.ts';
import { ZERO_UUID } from '../../protocol/uuid.ts';
import type { TopicImage } from '../controller/image.ts';
import { topicNameProblem } from '../controller/topic-names.ts';
import { isInternalTopic } from '../coordinator/topics.ts';
import { TOPIC_OPERATIONS } from '../security/authorized-operations.ts';
import { handler, type RequestContext } from './handler.ts';

type Request = MessageOf<typeof DescribeTopicPartitionsRequest>;
type Response = InputOf<typeof DescribeTopicPartitionsResponse>;
type TopicResponse = NonNullable<Response['topics']>[number];

/** DescribeTopicPartitions (KIP-966): topics in the order of their names, a page at a time. */
export const describeTopicPartitions = handler({
  request: DescribeTopicPartitionsRequest,
  response: DescribeTopicPartitionsResponse,
  versions: [0, 0],

  handle(context, request) {
    const { cursor } = request;
    const wanted = names(context, request);
    checkCursor(request, wanted);
    const topics: TopicResponse[] = [];
    let left = pageLimit(context, request);
    for (const name of wanted) {
      if (left === 0) return { topics, nextCursor: { topicName: name, partitionIndex: 0 } };
      const topic = context.broker.image().topic(name);
      if (topic === undefined) {
        topics.push(unknown(name));
        continue;
      }
      const from = cursor?.topicName === name ? cursor.partitionIndex : 0;
      const to = Math.min(topic.partitions.length, from + left);
      topics.push(describe(topic, from, to));
      left -= Math.max(0, to - from);
      if (to < topic.partitions.length) return { topics, nextCursor: { topicName: name, partitionIndex: to } };
    }
    return { topics, nextCursor: null };
  },

  failed: (request, errorCode) => ({ topics: request.topics.map(({ name }) => ({ errorCode, name, partitions: [] })) }),
});

/** Throws KafkaError for a cursor that lies in none of the topics asked for by name, and for a topic without a name. */
function checkCursor({ topics, cursor }: Request, wanted: readonly string[]): void {
  if (cursor !== null && topics.length > 0 && !wanted.includes(cursor.topicName)) {
    throw new KafkaError('INVALID_REQUEST');
  }
  if (cursor !== null && cursor.partitionIndex < 0) throw new KafkaError('INVALID_REQUEST');
  if (wanted.includes('')) throw new KafkaError('UNKNOWN_SERVER_ERROR');
}

function pageLimit(context: RequestContext, request: Request): number {
  const most = context.broker.config().get('max.request.partition.size.limit');
  return Math.max(1, Math.min(most, request.responsePartitionLimit));
}

/** The names to be told, sorted, from the cursor on. */
function names(context: RequestContext, request: Request): string[] {
  const all = request.topics.length === 0;
  const wanted = all ? [...context.broker.image().topics()].map((t) => t.name) : request.topics.map((t) => t.name);
  const from = request.cursor?.topicName ?? '';
  return [...new Set(wanted)].filter((name) => name >= from).sort();
}

function describe(topic: TopicImage, from: number, to: number): TopicResponse {
  return {
    errorCode: 0,
    name: topic.name,
    topicId: topic.id,
    isInternal: isInternalTopic(topic.name),
    partitions: topic.partitions.slice(from, to).map((p, i) => ({
      errorCode: p.leader < 0 ? ErrorCode.LEADER_NOT_AVAILABLE : 0,
      partitionIndex: from + i,
      leaderId: p.leader,
      leaderEpoch: p.leaderEpoch,
      replicaNodes: p.replicas,
      isrNodes: p.isr,
      // the Java admin client throws on null here
      eligibleLeaderReplicas: p.elr,
      lastKnownElr: p.lastKnownElr,
      offlineReplicas: [],
    })),
    topicAuthorizedOperations: TOPIC_OPERATIONS,
  };
}

const unknown = (name: string): TopicResponse => ({
  errorCode: topicNameProblem(name) === null ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.INVALID_TOPIC_EXCEPTION,
  name,
  topicId: ZERO_UUID,
  isInternal: isInternalTopic(name),
  partitions: [],
  topicAuthorizedOperations: TOPIC_OPERATIONS,
});
