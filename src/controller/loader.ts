/** From what the metadata log holds to the image, when it is opened (Kafka's MetadataBatchLoader; transactions of records: KIP-868). */
import { MalformedError } from '../../protocol/malformed.ts';
import { AbortTransactionRecord, BeginTransactionRecord, EndTransactionRecord } from '../../protocol/metadata/index.ts';
import type { LogBatch, LogReader } from '../raft/driver.ts';
import { type SnapshotId, snapshotName } from '../raft/snapshot-file.ts';
import { UnreadableMetadata } from '../raft/unreadable-metadata.ts';
import { MetadataImage, type Provenance } from './image.ts';
import { decodeRecord, type MetadataRecord } from './records.ts';
import { Replay } from './replay.ts';

export interface LoadedImage {
  readonly image: MetadataImage;
  /** The log ends within a transaction of records. They are not in the image, and have to be aborted before anything else is appended. */
  readonly isInTransaction: boolean;
}

export class MetadataLoader implements LogReader {
  private replay = new Replay(MetadataImage.EMPTY);
  private provenance: Provenance = MetadataImage.EMPTY.fields;
  /** Within a transaction: the image that an abort goes back to. */
  private beforeTransaction: MetadataImage | null = null;

  snapshot(id: SnapshotId, timestampMs: number, values: readonly Buffer[]): void {
    const place = (index: number) => `record ${index} of the snapshot ${snapshotName(id)}`;
    for (const [i, value] of values.entries()) this.replay.apply(decode(value, () => place(i)));
    this.provenance = { offset: id.endOffset - 1, leaderEpoch: id.leaderEpoch, timestampMs };
  }

  batch({ baseOffset, lastOffset: offset, leaderEpoch, timestampMs }: LogBatch, values: readonly Buffer[]): void {
    for (const value of values)
      this.take(
        decode(value, () => `a record at or behind offset ${baseOffset}`),
        baseOffset,
      );
    this.provenance = { offset, leaderEpoch, timestampMs };
  }

  /** What has been read so far. */
  finish(): LoadedImage {
    const replay = this.beforeTransaction === null ? this.replay : new Replay(this.beforeTransaction);
    return { image: replay.finish(this.provenance).image, isInTransaction: this.beforeTransaction !== null };
  }

  private take(record: MetadataRecord, baseOffset: number): void {
    switch (record.message) {
      case BeginTransactionRecord:
        if (this.beforeTransaction !== null) throw outOfPlace('another transaction begins within one', baseOffset);
        this.beforeTransaction = this.replay.finish(this.provenance).image;
        this.replay = new Replay(this.beforeTransaction);
        break;
      case EndTransactionRecord:
        this.leaveTransaction(baseOffset);
        break;
      case AbortTransactionRecord:
        this.replay = new Replay(this.leaveTransaction(baseOffset));
        break;
      default:
        this.replay.apply(record);
    }
  }

  private leaveTransaction(baseOffset: number): MetadataImage {
    const before = this.beforeTransaction;
    if (before === null) throw outOfPlace('a transaction ends that never began', baseOffset);
    this.beforeTransaction = null;
    return before;
  }
}

function decode(value: Buffer, place: () => string): MetadataRecord {
  try {
    return decodeRecord(value);
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    throw new UnreadableMetadata(`The metadata log has ${place()} that is not understood: ${error.message}.`);
  }
}

function outOfPlace(what: string, baseOffset: number): UnreadableMetadata {
  return new UnreadableMetadata(`The metadata log is damaged: ${what}, at or behind offset ${baseOffset}.`);
}
