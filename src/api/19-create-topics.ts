import { ErrorCode } from '../../protocol/errors.ts';
import { CreateTopicsRequest, CreateTopicsResponse } from '../../protocol/messages/19-create-topics.ts';
import { METADATA_TOPIC } from '../../protocol/metadata-topic.ts';
import type { InputOf } from '../../protocol/schema.ts';
import { handler } from './handler.ts';
import { checkHasTime, namesAnyOnce } from './timeout.ts';

type Result = NonNullable<InputOf<typeof CreateTopicsResponse>['topics']>[number];

/** CreateTopics (KIP-4): the answer leaves when the partitions have a leader that serves. */
export const createTopics = handler({
  request: CreateTopicsRequest,
  response: CreateTopicsResponse,
  versions: [2, 7],

  async handle(context, request) {
    const topics = request.topics.filter(({ name }) => name !== METADATA_TOPIC);
    checkHasTime(request.timeoutMs, () => namesAnyOnce(topics.map(({ name }) => name)));
    const response = await context.broker.controller.createTopics({ ...request, topics });
    if (topics.length === request.topics.length) return response;
    return { ...response, topics: [...(response.topics ?? []), prohibited] };
  },

  failed: (request, errorCode, errorMessage) => ({
    topics: request.topics.map(({ name }) => refused(name, errorCode, errorMessage)),
  }),
});

const refused = (name: string, errorCode: number, errorMessage: string | null): Result => ({
  name,
  errorCode,
  errorMessage,
});

const prohibited = refused(
  METADATA_TOPIC,
  ErrorCode.INVALID_REQUEST,
  `Creation of internal topic ${METADATA_TOPIC} is prohibited.`,
);
