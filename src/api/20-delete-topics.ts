import { DeleteTopicsRequest, DeleteTopicsResponse } from '../../protocol/messages/20-delete-topics.ts';
import { handler } from './handler.ts';
import { checkHasTime } from './timeout.ts';

/** DeleteTopics, by name or (KIP-516) by id: the answer leaves when the logs are out of reach. */
export const deleteTopics = handler({
  request: DeleteTopicsRequest,
  response: DeleteTopicsResponse,
  versions: [1, 6],

  handle(context, request) {
    checkHasTime(request.timeoutMs);
    return context.broker.controller.deleteTopics(request);
  },

  failed: (request, errorCode, errorMessage) => ({
    responses: [
      ...request.topicNames.map((name) => ({ name, errorCode, errorMessage })),
      ...request.topics.map(({ name, topicId }) => ({ name, topicId, errorCode, errorMessage })),
    ],
  }),
});
