import { ErrorCode, type ErrorCodeValue, errorName, KafkaError } from '../../protocol/errors.ts';

/**
 * What a client of a coordinator is told when the log underneath fails: clients know what to do about a coordinator that
 * moved or is not there, not about the partition that it keeps its state in.
 */
export function coordinatorError(code: ErrorCodeValue): ErrorCodeValue {
  switch (code) {
    case ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
    case ErrorCode.NOT_ENOUGH_REPLICAS:
    case ErrorCode.REQUEST_TIMED_OUT:
      return ErrorCode.COORDINATOR_NOT_AVAILABLE;
    case ErrorCode.NOT_LEADER_OR_FOLLOWER:
    case ErrorCode.KAFKA_STORAGE_ERROR:
      return ErrorCode.NOT_COORDINATOR;
    case ErrorCode.MESSAGE_TOO_LARGE:
    case ErrorCode.RECORD_LIST_TOO_LARGE:
    case ErrorCode.INVALID_FETCH_SIZE:
      return ErrorCode.UNKNOWN_SERVER_ERROR;
    default:
      return code;
  }
}

/** Any failure as a KafkaError; what is none is a fault of ours: UNKNOWN_SERVER_ERROR. */
export function asKafkaError(error: unknown): KafkaError {
  if (error instanceof KafkaError) return error;
  return new KafkaError('UNKNOWN_SERVER_ERROR', error instanceof Error ? error.message : errorName(-1));
}
