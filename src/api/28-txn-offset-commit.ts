import { ErrorCode } from '../../protocol/errors.ts';
import { TxnOffsetCommitRequest, TxnOffsetCommitResponse } from '../../protocol/messages/28-txn-offset-commit.ts';
import type { InputOf, MessageOf } from '../../protocol/schema.ts';
import { coordinatorError } from '../coordinator/errors.ts';
import { andThen, type Eventually } from '../coordinator/eventually.ts';
import { OFFSETS_TOPIC } from '../coordinator/topics.ts';
import type { ClientSupport } from '../transaction/partition/verification.ts';
import { callerOf } from './caller.ts';
import { handler, type RequestContext } from './handler.ts';

type Request = MessageOf<typeof TxnOffsetCommitRequest>;
type Topic = Request['topics'][number];
type Response = InputOf<typeof TxnOffsetCommitResponse>;
type TopicResponse = NonNullable<Response['topics']>[number];

/** Clients before it do not expect a coordinator that is being loaded. */
const LOAD_IN_PROGRESS_VERSION = 2;
/** Clients know TRANSACTION_ABORTABLE from the one on, and have offsets added by their commit from the other on (KIP-890). */
const ABORTABLE_VERSION = 4;
const ADD_PARTITION_VERSION = 5;

/** TxnOffsetCommit: offsets of a group that are committed with a transaction. */
export const txnOffsetCommit = handler({
  request: TxnOffsetCommitRequest,
  response: TxnOffsetCommitResponse,
  versions: [0, 5],

  handle(context, request) {
    const refused: TopicResponse[] = [];
    const topics = request.topics
      .map((topic) => existing(context, topic, refused))
      .filter((t) => t.partitions.length > 0);
    if (topics.length === 0) return { topics: refused };
    return andThen(commit(context, { ...request, topics }), (response) => {
      const known = forVersion(context.apiVersion, response.topics ?? []);
      return { topics: merged(refused, known) };
    });
  },

  failed: (request, errorCode) => ({ topics: request.topics.map((topic) => withCode(topic, errorCode)) }),
});

/** Leaves the partitions that exist. */
function existing({ broker }: RequestContext, topic: Topic, refused: TopicResponse[]): Topic {
  const known = broker.image().topic(topic.name);
  const missing = topic.partitions.filter(({ partitionIndex }) => known?.partitions[partitionIndex] === undefined);
  if (missing.length === 0) return topic;
  refused.push(withCode({ ...topic, partitions: missing }, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION));
  return { ...topic, partitions: topic.partitions.filter((partition) => !missing.includes(partition)) };
}

/** The transaction coordinator is asked first, then the group's says whether the member may commit. */
function commit(context: RequestContext, request: Request): Eventually<Response> {
  const { broker, apiVersion } = context;
  const { transactionalId, groupId, producerId, producerEpoch } = request;
  const refuse = (code: number) => ({ topics: request.topics.map((topic) => withCode(topic, code)) });
  if (groupId === '') return refuse(ErrorCode.INVALID_GROUP_ID);
  const partition = broker.partitions.get(OFFSETS_TOPIC, broker.groups.partitionFor(groupId));
  if (partition === undefined) return refuse(coordinatorError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION));
  const producer = { transactionalId, producerId, producerEpoch };
  const wanted = [{ partition, sequence: -1 }];
  const verified = broker.transactionVerification.verify(producer, wanted, supportOf(apiVersion), false);
  return andThen(verified, ([result]) => {
    if ('errorCode' in result) return refuse(result.errorCode);
    const within = { producerId, producerEpoch, verification: result.guard };
    return broker.groups.commitTransactionalOffsets(callerOf(context), request, within);
  });
}

function supportOf(apiVersion: number): ClientSupport {
  if (apiVersion >= ADD_PARTITION_VERSION) return 'add-partition';
  return apiVersion >= ABORTABLE_VERSION ? 'abortable' : 'default';
}

function withCode({ name, partitions }: Topic, errorCode: number): TopicResponse {
  return { name, partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })) };
}

function forVersion(apiVersion: number, topics: readonly TopicResponse[]): readonly TopicResponse[] {
  if (apiVersion >= LOAD_IN_PROGRESS_VERSION) return topics;
  return topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions?.map((p) =>
      p.errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
        ? { ...p, errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE }
        : p,
    ),
  }));
}

/** One entry a topic: partitions that were refused, then those that were not. */
function merged(refused: readonly TopicResponse[], committed: readonly TopicResponse[]): TopicResponse[] {
  const topics = new Map(refused.map((topic) => [topic.name, topic]));
  for (const topic of committed) {
    const partitions = [...(topics.get(topic.name)?.partitions ?? []), ...(topic.partitions ?? [])];
    topics.set(topic.name, { ...topic, partitions });
  }
  return [...topics.values()];
}
