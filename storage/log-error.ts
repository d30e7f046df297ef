/** Names from Kafka's error table (protocol/errors.ts), except the last, which only a follower meets and never goes on the wire. */
export type LogErrorCode =
  | 'OFFSET_OUT_OF_RANGE'
  | 'CORRUPT_MESSAGE'
  | 'RECORD_LIST_TOO_LARGE'
  | 'OUT_OF_ORDER_SEQUENCE_NUMBER'
  | 'INVALID_PRODUCER_EPOCH'
  | 'INVALID_TXN_STATE'
  | 'TRANSACTION_COORDINATOR_FENCED'
  | 'KAFKA_STORAGE_ERROR'
  | 'UNEXPECTED_APPEND_OFFSET';

/** What a log refuses or fails with; `code` is Kafka's name for it. */
export class LogError extends Error {
  readonly code: LogErrorCode;

  constructor(code: LogErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'LogError';
    this.code = code;
  }
}

/** Bytes that were written once are not there, or not as they were: says file, position and reason. */
export function damaged(path: string, position: number, reason: string): LogError {
  return new LogError('KAFKA_STORAGE_ERROR', `${path} is damaged at byte ${position}: ${reason}`);
}
