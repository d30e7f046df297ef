import type { ErrorName, KafkaError } from '../../protocol/errors.ts';

/** Kafka's words for errors that it tells without others of their own (Errors.message); clients show them to people. */
const MESSAGES: Partial<Record<ErrorName, string>> = {
  UNKNOWN_SERVER_ERROR: 'The server experienced an unexpected error when processing the request.',
  UNKNOWN_TOPIC_OR_PARTITION: 'This server does not host this topic-partition.',
  UNKNOWN_TOPIC_ID: 'This server does not host this topic ID.',
  FENCED_LEADER_EPOCH: 'The leader epoch in the request is older than the epoch on the broker.',
  FENCED_STATE_EPOCH: 'The share coordinator rejected the request because the share-group state epoch did not match.',
  NOT_COORDINATOR: 'This is not the correct coordinator.',
  COORDINATOR_LOAD_IN_PROGRESS: "The coordinator is loading and hence can't process requests.",
  COORDINATOR_NOT_AVAILABLE: 'The coordinator is not available.',
  REQUEST_TIMED_OUT: 'The request timed out.',
};

export const errorMessage = (name: ErrorName): string => MESSAGES[name] ?? name;

/** The error's own words, or Kafka's where it has none. */
export const messageOf = (error: KafkaError): string =>
  error.message === error.errorName ? errorMessage(error.errorName) : error.message;
