import { CreatePartitionsRequest, CreatePartitionsResponse } from '../../protocol/messages/37-create-partitions.ts';
import { handler } from './handler.ts';
import { checkHasTime, namesAnyOnce } from './timeout.ts';

/** CreatePartitions (KIP-195): topics get more partitions. */
export const createPartitions = handler({
  request: CreatePartitionsRequest,
  response: CreatePartitionsResponse,
  versions: [0, 3],

  handle(context, request) {
    checkHasTime(request.timeoutMs, () => namesAnyOnce(request.topics.map(({ name }) => name)));
    return context.broker.controller.createPartitions(request);
  },

  failed: (request, errorCode, errorMessage) => ({
    results: request.topics.map(({ name }) => ({ name, errorCode, errorMessage })),
  }),
});
