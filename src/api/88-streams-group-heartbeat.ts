import { ErrorCode } from '../../protocol/errors.ts';
import {
  StreamsGroupHeartbeatRequest,
  StreamsGroupHeartbeatResponse,
} from '../../protocol/messages/88-streams-group-heartbeat.ts';
import type { InputOf, MessageOf } from '../../protocol/schema.ts';
import { topicNameProblem } from '../controller/topic-names.ts';
import { isInternalTopic } from '../coordinator/topics.ts';
import { callerOf } from './caller.ts';
import { handler } from './handler.ts';
import { requireStreamsGroups } from './streams-groups.ts';

/** StreamsGroupHeartbeat: a member of a streams group lives, joins or leaves, and learns its tasks (KIP-1071). */
export const streamsGroupHeartbeat = handler({
  request: StreamsGroupHeartbeatRequest,
  response: StreamsGroupHeartbeatResponse,
  versions: [0, 0],

  handle(context, request) {
    requireStreamsGroups(context);
    const { groups, controller } = context.broker;
    const refused = refusedTopics(request);
    return refused ?? groups.streams.heartbeat(callerOf(context), request, (topics) => controller.createTopics(topics));
  },

  failed: (_request, errorCode) => ({ errorCode }),
});

type Request = MessageOf<typeof StreamsGroupHeartbeatRequest>;

/** Topics that no application may use. */
function refusedTopics({ topology }: Request): InputOf<typeof StreamsGroupHeartbeatResponse> | null {
  const names = (topology?.subtopologies ?? []).flatMap((s) => [
    ...s.sourceTopics,
    ...s.repartitionSinkTopics,
    ...s.repartitionSourceTopics.map(({ name }) => name),
    ...s.stateChangelogTopics.map(({ name }) => name),
  ]);
  const errorCode = ErrorCode.STREAMS_INVALID_TOPOLOGY;
  const internal = names.filter(isInternalTopic).join(',');
  if (internal !== '') {
    const errorMessage = `Use of Kafka internal topics ${internal} in a Kafka Streams topology is prohibited.`;
    return { errorCode, errorMessage };
  }
  const invalid = names.filter((name) => topicNameProblem(name) !== null);
  if (invalid.length === 0) return null;
  return { errorCode, errorMessage: `Topic names ${invalid.join(',')} are not valid topic names.` };
}
