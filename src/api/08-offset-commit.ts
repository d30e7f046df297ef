import { ErrorCode } from '../../protocol/errors.ts';
import { OffsetCommitRequest, OffsetCommitResponse } from '../../protocol/messages/08-offset-commit.ts';
import type { InputOf, MessageOf } from '../../protocol/schema.ts';
import type { MetadataImage, TopicImage } from '../controller/image.ts';
import { andThen } from '../coordinator/eventually.ts';
import { callerOf } from './caller.ts';
import { handler, type RequestContext } from './handler.ts';

type Request = MessageOf<typeof OffsetCommitRequest>;
type Topic = Request['topics'][number];
type Response = InputOf<typeof OffsetCommitResponse>;
type TopicResponse = NonNullable<Response['topics']>[number];

/** From then on topics are named by id (KIP-848). */
const TOPIC_ID_VERSION = 10;

/** OffsetCommit: unknown topics and partitions are refused here, the rest is the group coordinator's. */
export const offsetCommit = handler({
  request: OffsetCommitRequest,
  response: OffsetCommitResponse,
  versions: [2, 10],

  handle(context, request) {
    const refused: TopicResponse[] = [];
    const topics = request.topics.filter((topic) => resolve(context, topic, refused));
    if (topics.length === 0) return { topics: refused };
    const committed = context.broker.groups.commitOffsets(callerOf(context), { ...request, topics });
    if (refused.length === 0) return committed;
    return andThen(committed, (response) => merge(refused, response));
  },

  failed: (request, errorCode) => ({ topics: request.topics.map((topic) => refuse(topic, errorCode)) }),
});

/** Completes the topic's name and id and leaves only partitions that exist; false where nothing is left. */
function resolve(context: RequestContext, topic: Topic, refused: TopicResponse[]): boolean {
  const byId = context.apiVersion >= TOPIC_ID_VERSION;
  const known = find(context.broker.image(), topic, byId);
  if (known === undefined) {
    refused.push(refuse(topic, byId ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION));
    return false;
  }
  topic.name = known.name;
  topic.topicId = known.id;
  const missing = topic.partitions.filter((p) => known.partitions[p.partitionIndex] === undefined);
  if (missing.length === 0) return topic.partitions.length > 0;
  refused.push(refuse({ ...topic, partitions: missing }, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION));
  topic.partitions = topic.partitions.filter((p) => known.partitions[p.partitionIndex] !== undefined);
  return topic.partitions.length > 0;
}

const find = (image: MetadataImage, topic: Topic, byId: boolean): TopicImage | undefined =>
  byId ? image.topicById(topic.topicId) : image.topic(topic.name);

function refuse({ name, topicId, partitions }: Topic, errorCode: number): TopicResponse {
  return { name, topicId, partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })) };
}

/** One entry a topic: partitions that were refused, then those that were not. */
function merge(refused: readonly TopicResponse[], committed: Response): Response {
  const topics = new Map(refused.map((topic) => [`${topic.topicId} ${topic.name}`, topic]));
  for (const topic of committed.topics ?? []) {
    const key = `${topic.topicId} ${topic.name}`;
    const partitions = [...(topics.get(key)?.partitions ?? []), ...(topic.partitions ?? [])];
    topics.set(key, { ...topic, partitions });
  }
  return { topics: [...topics.values()] };
}
