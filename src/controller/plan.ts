import { ErrorCode, type ErrorName } from '../../protocol/errors.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import { InvalidConfigError } from '../config/value.ts';
import type { Random } from '../env.ts';
import type { MetadataImage } from './image.ts';
import type { MetadataRecord } from './records.ts';

/** What a plan decides: the records to be written, and the response once they are committed. */
export interface Plan<R> {
  readonly records: readonly MetadataRecord[];
  readonly response: R;
}

/** All that a plan may look at: it is a pure function of this and of the request. */
export interface PlanContext {
  readonly image: MetadataImage;
  readonly nodeId: number;
  /** In force in the metadata quorum. */
  readonly kraftVersion: number;
  readonly config: BrokerConfig;
  /** For fresh topic ids. */
  readonly random: Random;
}

/** Kafka's error for one item of a request. */
export interface ApiError {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

export const NO_ERROR: ApiError = { errorCode: ErrorCode.NONE, errorMessage: null };

/** What one request may change at most, as in Kafka, which commits it as one. */
export const MAX_RECORDS_PER_REQUEST = 10_000;

/** Thrown within a plan for one item of a request; becomes the error of that item. */
export class Refused extends Error {
  readonly errorName: ErrorName;
  /** null where Kafka says nothing beside the code. */
  readonly text: string | null;

  constructor(errorName: ErrorName, text: string | null) {
    super(text ?? errorName);
    this.errorName = errorName;
    this.text = text;
  }
}

/** What the client is told of a refusal; anything else that was thrown is a defect and goes on. */
export function errorOf(error: unknown): ApiError {
  if (error instanceof Refused) return { errorCode: ErrorCode[error.errorName], errorMessage: error.text };
  if (error instanceof InvalidConfigError) return { errorCode: ErrorCode[error.error], errorMessage: error.message };
  throw error;
}

/** The names that occur more than once. */
export function duplicatesIn(names: readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const name of names) (seen.has(name) ? twice : seen).add(name);
  return twice;
}
