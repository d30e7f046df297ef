import { KafkaError } from '../../protocol/errors.ts';
import type {
  CoordinatorLog,
  CoordinatorRecord,
  EndMarker,
  InTransaction,
  StoredRecord,
} from '../../src/coordinator/log.ts';

/**
 * The internal topic in memory. `sync` commits at once; `held` keeps every append waiting until `commit`; `refuse` lets
 * every append fail.
 */
export class MemoryCoordinatorLog implements CoordinatorLog {
  readonly partitions = new Map<number, StoredRecord[]>();
  mode: 'sync' | 'held' = 'sync';
  refuse: KafkaError | null = null;
  appends = 0;
  private waiting: { commit: () => void; fail: (error: KafkaError) => void }[] = [];

  append(
    partition: number,
    records: readonly CoordinatorRecord[],
    nowMs: number,
    within?: InTransaction,
  ): number | Promise<number> {
    const { producerId, producerEpoch } = within ?? { producerId: -1, producerEpoch: -1 };
    const entries = records.map(({ key, value }) => ({
      key: Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
    }));
    const more = { timestampMs: nowMs, producerId, producerEpoch, marker: null };
    return this.write(partition, () => entries.map((entry) => ({ ...entry, ...more })));
  }

  appendMarker(partition: number, marker: EndMarker, nowMs: number): number | Promise<number> {
    const { producerId, producerEpoch, result } = marker;
    const record = { key: null, value: null, timestampMs: nowMs, producerId, producerEpoch, marker: result };
    return this.write(partition, () => [record]);
  }

  private write(partition: number, records: () => readonly Omit<StoredRecord, 'offset'>[]): number | Promise<number> {
    if (this.refuse !== null) throw this.refuse;
    this.appends++;
    const write = () => {
      const log = this.records(partition);
      for (const record of records()) log.push({ ...record, offset: log.length });
      return log.length;
    };
    if (this.mode === 'sync') return write();
    return new Promise((resolve, reject) => {
      this.waiting.push({ commit: () => resolve(write()), fail: reject });
    });
  }

  /** Commits the first `count` appends that wait. */
  commit(count = Number.POSITIVE_INFINITY): void {
    for (const { commit } of this.waiting.splice(0, count)) commit();
  }

  /** Lets all appends that wait fail. */
  fail(error: KafkaError = new KafkaError('NOT_LEADER_OR_FOLLOWER')): void {
    for (const { fail } of this.waiting.splice(0)) fail(error);
  }

  get held(): number {
    return this.waiting.length;
  }

  read(partition: number, each: (record: StoredRecord) => void): void | Promise<void> {
    for (const record of this.records(partition)) each(record);
  }

  records(partition: number): StoredRecord[] {
    let log = this.partitions.get(partition);
    if (log === undefined) {
      log = [];
      this.partitions.set(partition, log);
    }
    return log;
  }
}
