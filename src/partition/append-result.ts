import type { ErrorName } from '../../protocol/errors.ts';
import type { AppendResult } from '../../storage/index.ts';

export type AppendedBatch = AppendResult;

/** A record of a batch that was refused, by its index in the batch (KIP-467). */
export interface RecordError {
  readonly batchIndex: number;
  readonly batchIndexErrorMessage: string | null;
}

type Details = { recordErrors?: readonly RecordError[]; inRequest?: boolean; isTold?: boolean };

/** Why a partition refused: Kafka's error, a text for the client, and the records at fault where they are known. */
export class AppendError extends Error {
  readonly errorName: ErrorName;
  readonly recordErrors: readonly RecordError[];
  /** The request is at fault: the log has not looked at it. */
  readonly inRequest: boolean;
  /** Kafka tells the client the text: records are at fault, or the framing. */
  readonly isTold: boolean;

  constructor(
    errorName: ErrorName,
    message: string,
    { recordErrors = [], inRequest = false, isTold = recordErrors.length > 0 }: Details = {},
  ) {
    super(message);
    this.name = 'AppendError';
    this.errorName = errorName;
    this.recordErrors = recordErrors;
    this.inRequest = inRequest;
    this.isTold = isTold;
  }
}
