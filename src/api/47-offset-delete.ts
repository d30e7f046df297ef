import { ErrorCode } from '../../protocol/errors.ts';
import { OffsetDeleteRequest, OffsetDeleteResponse } from '../../protocol/messages/47-offset-delete.ts';
import type { InputOf, MessageOf } from '../../protocol/schema.ts';
import { andThen } from '../coordinator/eventually.ts';
import { handler, type RequestContext } from './handler.ts';

type Topic = MessageOf<typeof OffsetDeleteRequest>['topics'][number];
type TopicResponse = NonNullable<InputOf<typeof OffsetDeleteResponse>['topics']>[number];

/** OffsetDelete (KIP-496): committed offsets of topics that the group's members do not read. */
export const offsetDelete = handler({
  request: OffsetDeleteRequest,
  response: OffsetDeleteResponse,
  versions: [0, 0],

  handle(context, request) {
    const refused = new Map<string, TopicResponse>();
    const topics = request.topics.map((topic) => known(context, topic, refused)).filter((t) => t.partitions.length > 0);
    return andThen(context.broker.groups.deleteOffsets({ ...request, topics }), (response) => {
      if (response.errorCode) return response;
      for (const { name = '', partitions = [] } of response.topics ?? []) {
        refused.set(name, { name, partitions: [...(refused.get(name)?.partitions ?? []), ...partitions] });
      }
      return { topics: [...refused.values()] };
    });
  },

  failed: (_request, errorCode) => ({ errorCode }),
});

/** The topic with those of its partitions that exist; the others are refused. */
function known(context: RequestContext, topic: Topic, refused: Map<string, TopicResponse>): Topic {
  const { name } = topic;
  const present = context.broker.image().topic(name)?.partitions ?? [];
  const missing = topic.partitions.filter((p) => present[p.partitionIndex] === undefined);
  if (missing.length > 0) {
    const errorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    refused.set(name, { name, partitions: missing.map(({ partitionIndex }) => ({ partitionIndex, errorCode })) });
  }
  return { name, partitions: topic.partitions.filter((p) => present[p.partitionIndex] !== undefined) };
}
