import { lastOffsetDelta } from '../../protocol/records/batch.ts';
import type { AppendedBatch } from './append-result.ts';
import type { Partition } from './partition.ts';
import { giveBackSlab, SLAB_BYTES, takeSlab } from './slabs.ts';

/** A larger batch gains nothing from company and would cost a copy. */
const MAX_GATHERED_BYTES = SLAB_BYTES / 2;
/** The turn ends early rather than hold more than this. */
const MAX_TURN_BYTES = 4 * 1024 * 1024;

/** A batch on its way into its partition; what has become of it stands here when the turn has ended. */
export class Gathered {
  readonly partition: Partition;
  /** Where its bytes stand in the group's slab. */
  readonly from: number;
  readonly to: number;
  private appended: AppendedBatch | null = null;
  private error: unknown = null;

  constructor(partition: Partition, from: number, to: number) {
    this.partition = partition;
    this.from = from;
    this.to = to;
  }

  /** Throws AppendError where the partition has refused the batch. */
  get result(): AppendedBatch {
    if (this.appended === null) throw this.error ?? new Error('the turn has not ended');
    return this.appended;
  }

  /** Appends by itself. */
  append(batch: Buffer): void {
    try {
      this.appended = this.partition.appendPrepared(batch);
    } catch (error) {
      this.error = error;
    }
  }

  settle(appended: AppendedBatch): void {
    this.appended = appended;
  }
}

/** What waits for one partition, in the order in which it came. */
class PartitionGroup {
  readonly partition: Partition;
  private readonly slab = takeSlab();
  private readonly waiting: Gathered[] = [];
  private usedBytes = 0;

  constructor(partition: Partition) {
    this.partition = partition;
  }

  hasRoom(sizeBytes: number): boolean {
    return this.usedBytes + sizeBytes <= this.slab.length;
  }

  add(batch: Buffer): Gathered {
    const from = this.usedBytes;
    batch.copy(this.slab, from);
    this.usedBytes += batch.length;
    const gathered = new Gathered(this.partition, from, this.usedBytes);
    this.waiting.push(gathered);
    return gathered;
  }

  /** Appends what waits, together where that can be; the group is not to be used any more. */
  write(): void {
    if (this.waiting.length < 2 || !this.writeTogether()) {
      for (const gathered of this.waiting) gathered.append(this.slab.subarray(gathered.from, gathered.to));
    }
    giveBackSlab(this.slab);
  }

  private writeTogether(): boolean {
    const all = this.partition.appendTogether(this.slab.subarray(0, this.usedBytes));
    if (all === null) return false;
    const { logAppendTimeMs, logStartOffset } = all;
    let { firstOffset } = all;
    for (const gathered of this.waiting) {
      const lastOffset = firstOffset + lastOffsetDelta(this.slab, gathered.from);
      gathered.settle({ firstOffset, lastOffset, logAppendTimeMs, logStartOffset, duplicate: false });
      firstOffset = lastOffset + 1;
    }
    return true;
  }
}

/**
 * Clients' batches that come in one turn of the event loop, gathered by partition (docs/decisions/0008-gathered-appends.md). A producer that is
 * ahead of the broker has several requests under way, and their batches for one partition cost half as much in one write. Nothing is
 * acknowledged or seen by a reader before it is written; a turn in which one batch came ends with that one append.
 */
export class GatheredAppends {
  private readonly atEndOfTurn: (task: () => void) => void;
  private readonly groups = new Map<Partition, PartitionGroup>();
  private turnBytes = 0;
  private ended: Promise<void> | null = null;
  private resolve: () => void = () => {};

  /** `atEndOfTurn` runs a task when what has arrived by now is dealt with (setImmediate). */
  constructor(atEndOfTurn: (task: () => void) => void) {
    this.atEndOfTurn = atEndOfTurn;
  }

  /** Takes a batch that the partition's `prepare` gave; its bytes are not needed any more when this returns. */
  add(partition: Partition, batch: Buffer): Gathered {
    let group = this.groups.get(partition);
    if (batch.length > MAX_GATHERED_BYTES) {
      this.write(group);
      const alone = new Gathered(partition, 0, batch.length);
      alone.append(batch);
      return alone;
    }
    if (group === undefined || !group.hasRoom(batch.length)) {
      this.write(group);
      group = new PartitionGroup(partition);
      this.groups.set(partition, group);
    }
    const gathered = group.add(batch);
    this.turnBytes += batch.length;
    if (this.turnBytes > MAX_TURN_BYTES) this.writeAll();
    return gathered;
  }

  /** When all that was added by now is written, or refused. */
  whenEnded(): Promise<void> {
    if (this.ended === null) {
      this.ended = new Promise((resolve) => {
        this.resolve = resolve;
      });
      this.atEndOfTurn(() => this.end());
    }
    return this.ended;
  }

  /** Ends the turn now. */
  end(): void {
    this.writeAll();
    this.ended = null;
    this.resolve();
  }

  private writeAll(): void {
    for (const group of this.groups.values()) group.write();
    this.groups.clear();
    this.turnBytes = 0;
  }

  private write(group: PartitionGroup | undefined): void {
    if (group === undefined) return;
    this.groups.delete(group.partition);
    group.write();
  }
}
