/** A partition whose log cannot be read fails alone: the others that a request names are answered. */
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { DiskError, LogError } from '../../storage/index.ts';
import { AppendError } from '../partition/append-result.ts';
import type { Partition } from '../partition/partition.ts';
import type { Broker } from './broker.ts';

/** What `ask` gives, or, where it throws, what `refuse` makes of Kafka's error code; what is more than a refusal is logged. */
export function answerFor<T>(
  { logger }: Pick<Broker, 'logger'>,
  { topic, index }: Pick<Partition, 'topic' | 'index'>,
  ask: () => T,
  refuse: (errorCode: number) => T,
): T {
  try {
    return ask();
  } catch (err) {
    if (!isRefusal(err)) logger.error({ err, topic, partition: index }, 'the partition cannot be read');
    return refuse(errorCodeOf(err));
  }
}

/** What `isEnough` says of the logs that a long poll waits for. Where one of them cannot be read it is time to answer: that tells why. */
export function enoughToAnswer(isEnough: () => boolean): boolean {
  try {
    return isEnough();
  } catch {
    return true;
  }
}

const isRefusal = (error: unknown): error is AppendError | KafkaError =>
  error instanceof AppendError || error instanceof KafkaError;

/** Kafka's error code for what a partition refuses or fails with. */
export function errorCodeOf(error: unknown): number {
  if (isRefusal(error)) return ErrorCode[error.errorName];
  if (error instanceof LogError) return readErrorCode(error);
  return error instanceof DiskError ? ErrorCode.KAFKA_STORAGE_ERROR : ErrorCode.UNKNOWN_SERVER_ERROR;
}

/** For a log that cannot be read. Kafka's table has no name for an offset that only a follower meets. */
const readErrorCode = ({ code }: LogError): number =>
  ErrorCode[code === 'UNEXPECTED_APPEND_OFFSET' ? 'UNKNOWN_SERVER_ERROR' : code];
