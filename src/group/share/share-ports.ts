/** What share groups need beside their own partition of `__consumer_offsets`. */
import type { MetadataImage } from '../../controller/image.ts';
import type { Eventually } from '../../coordinator/eventually.ts';
import type { Logger } from '../../env.ts';
import type { SharePersister } from '../../share/persister.ts';

/** The end of a partition as a consumer sees it. */
export interface EndOffset {
  readonly errorCode: number;
  /** -1 where there is an error. */
  readonly offset: number;
}

export interface SharePorts {
  readonly persister: Pick<SharePersister, 'initialize' | 'readSummary' | 'delete'>;
  endOffset(topicId: string, partition: number): Eventually<EndOffset>;
}

export interface ShareGroupsOptions extends SharePorts {
  readonly logger: Logger;
  image(): MetadataImage;
}
