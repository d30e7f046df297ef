import type { BrokerConfig } from '../config/broker-config.ts';
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
  readonly config: BrokerConfig;
  /** For fresh topic ids. */
  readonly random: Random;
}

/** Kafka's error for one item of a request. */
export interface ApiError {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}
