import { DeleteTopicsRequest, DeleteTopicsResponse } from '../../protocol/messages/20-delete-topics.ts';
import type { MessageOf } from '../../protocol/schema.ts';
import { ZERO_UUID } from '../../protocol/uuid.ts';
import { handler } from './handler.ts';
import { checkHasTime, namesAnyOnce } from './timeout.ts';

/** DeleteTopics, by name or (KIP-516) by id: the answer leaves when the logs are out of reach. */
export const deleteTopics = handler({
  request: DeleteTopicsRequest,
  response: DeleteTopicsResponse,
  versions: [1, 6],

  handle(context, request) {
    checkHasTime(request.timeoutMs, () => namesAnyOnce(keys(request)));
    return context.broker.controller.deleteTopics(request);
  },

  failed: (request, errorCode, errorMessage) => ({
    responses: [
      ...request.topicNames.map((name) => ({ name, errorCode, errorMessage })),
      ...request.topics.map(({ name, topicId }) => ({ name, topicId, errorCode, errorMessage })),
    ],
  }),
});

/** Topics that are named by name or by id, and not by both. */
function keys({ topicNames, topics }: MessageOf<typeof DeleteTopicsRequest>): string[] {
  const wellNamed = topics.filter(({ name, topicId }) => (name === null) !== (topicId === ZERO_UUID));
  // the slash is in no name: an id is not taken for one
  return [...topicNames, ...wellNamed.map(({ name, topicId }) => name ?? `/${topicId}`)];
}
