import { type ErrorName, errorName } from '../../../protocol/errors.ts';

/** Kafka's words for errors that come without others of their own (Errors.message); clients show them to people. */
const MESSAGES: Partial<Record<ErrorName, string>> = {
  UNKNOWN_SERVER_ERROR: 'The server experienced an unexpected error when processing the request.',
  UNKNOWN_TOPIC_OR_PARTITION: 'This server does not host this topic-partition.',
  COORDINATOR_LOAD_IN_PROGRESS: "The coordinator is loading and hence can't process requests.",
  COORDINATOR_NOT_AVAILABLE: 'The coordinator is not available.',
  NOT_COORDINATOR: 'This is not the correct coordinator.',
  INVALID_GROUP_ID: 'The group id is invalid.',
  NON_EMPTY_GROUP: 'The group is not empty.',
  UNSUPPORTED_VERSION: 'The version of API is not supported.',
};

export const errorMessage = (name: ErrorName): string => MESSAGES[name] ?? name;

export const messageOfCode = (code: number): string => errorMessage(errorName(code) as ErrorName);
