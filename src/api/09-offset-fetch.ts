import { ErrorCode } from '../../protocol/errors.ts';
import { OffsetFetchRequest, OffsetFetchResponse } from '../../protocol/messages/09-offset-fetch.ts';
import type { InputOf, MessageOf } from '../../protocol/schema.ts';
import { ZERO_UUID } from '../../protocol/uuid.ts';
import { all, andThen, type Eventually } from '../coordinator/eventually.ts';
import type { OffsetFetchGroup, OffsetFetchGroupResponse } from '../group/offsets/fetch.ts';
import { handler, type RequestContext } from './handler.ts';

type Request = MessageOf<typeof OffsetFetchRequest>;
type Response = InputOf<typeof OffsetFetchResponse>;
type Topic = NonNullable<OffsetFetchGroup['topics']>[number];
type TopicResponse = NonNullable<OffsetFetchGroupResponse['topics']>[number];

/** From then on the response has an error code for the whole group; before, only partitions have one. */
const GROUP_ERROR_VERSION = 2;
/** From then on a request asks for many groups (KIP-709). */
const BATCH_VERSION = 8;
/** From then on topics are named by id (KIP-848). */
const TOPIC_ID_VERSION = 10;

/** OffsetFetch: the committed offsets of one group or, from version 8 on, of many. */
export const offsetFetch = handler({
  request: OffsetFetchRequest,
  response: OffsetFetchResponse,
  versions: [1, 10],

  handle(context, request) {
    const groups = groupsOf(context, request).map((group) => fetch(context, group, request.requireStable));
    return andThen(all(groups), (responses) => respond(context, responses));
  },

  // one form for all versions: each carries the fields that it has
  failed: (request, errorCode) => ({
    errorCode,
    groups: request.groups.map(({ groupId }) => ({ groupId, errorCode })),
    topics: failedTopics(request.topics, errorCode),
  }),
});

function groupsOf(context: RequestContext, request: Request): OffsetFetchGroup[] {
  if (context.apiVersion >= BATCH_VERSION) return request.groups;
  const topics = request.topics?.map((topic) => ({ ...topic, topicId: ZERO_UUID })) ?? null;
  return [{ groupId: request.groupId, memberId: null, memberEpoch: -1, topics }];
}

function respond(context: RequestContext, groups: OffsetFetchGroupResponse[]): Response {
  if (context.apiVersion >= BATCH_VERSION) return { groups };
  const [{ errorCode, topics }] = groups;
  return { errorCode, topics };
}

function fetch(
  context: RequestContext,
  group: OffsetFetchGroup,
  stable: boolean,
): Eventually<OffsetFetchGroupResponse> {
  const { groups } = context.broker;
  if (context.apiVersion >= TOPIC_ID_VERSION) return fetchById(context, group, stable);
  if (context.apiVersion >= GROUP_ERROR_VERSION) return groups.fetchOffsets(group, stable);
  return andThen(groups.fetchOffsets(group, stable), (response) =>
    response.errorCode ? { topics: failedTopics(group.topics, response.errorCode) } : response,
  );
}

/** Topics are asked for and answered by id; an unknown id is that topic's error. */
function fetchById(
  context: RequestContext,
  group: OffsetFetchGroup,
  stable: boolean,
): Eventually<OffsetFetchGroupResponse> {
  const { groups } = context.broker;
  const image = context.broker.image();
  if (group.topics === null) {
    return andThen(groups.fetchOffsets(group, stable), (response) => {
      const topics = response.topics?.map((topic) => ({ ...topic, topicId: image.topic(topic.name ?? '')?.id }));
      return { ...response, topics: topics?.filter((topic) => topic.topicId !== undefined) };
    });
  }
  const topics: Topic[] = [];
  const unknown: Topic[] = [];
  for (const topic of group.topics) {
    const name = image.topicById(topic.topicId)?.name;
    if (name === undefined) unknown.push(topic);
    else topics.push({ ...topic, name });
  }
  return andThen(groups.fetchOffsets({ ...group, topics }, stable), (response) => {
    if (response.errorCode) return response;
    return { ...response, topics: [...(response.topics ?? []), ...failedTopics(unknown, ErrorCode.UNKNOWN_TOPIC_ID)] };
  });
}

function failedTopics(topics: readonly Partial<Topic>[] | null, errorCode: number): TopicResponse[] {
  return (topics ?? []).map(({ name, topicId, partitionIndexes }) => ({
    name,
    topicId,
    partitions: (partitionIndexes ?? []).map((partitionIndex) => ({
      partitionIndex,
      committedOffset: -1,
      metadata: '',
      errorCode,
    })),
  }));
}
