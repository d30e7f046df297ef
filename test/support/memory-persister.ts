import { ErrorCode } from '../../protocol/errors.ts';
import type { Eventually } from '../../src/coordinator/eventually.ts';
import type {
  InitializeState,
  PartitionResult,
  ReadState,
  SharePersister,
  SummaryResult,
  TopicPartitionId,
} from '../../src/share/persister.ts';

interface State {
  readonly stateEpoch: number;
  startOffset: number;
  deliveryCompleteCount: number;
}

/** A share coordinator in memory: what it was told it knows, and it fails or waits when told to. */
export class MemoryPersister implements Pick<SharePersister, 'initialize' | 'readSummary' | 'delete'> {
  /** By group, topic id and partition. */
  readonly states = new Map<string, State>();
  /** The calls so far: what was asked for, by group. */
  readonly calls: string[] = [];
  /** The error code of everything from now on. */
  errorCode: number = ErrorCode.NONE;
  /** Answers wait for it. */
  until: Promise<void> | null = null;

  initialize(groupId: string, partitions: readonly InitializeState[]): Eventually<PartitionResult[]> {
    return this.each('initialize', groupId, partitions, (key, { stateEpoch, startOffset }) => {
      this.states.set(key, { stateEpoch, startOffset, deliveryCompleteCount: startOffset === -1 ? -1 : 0 });
      return {};
    });
  }

  readSummary(groupId: string, partitions: readonly ReadState[]): Eventually<SummaryResult[]> {
    const none = { stateEpoch: 0, startOffset: -1, deliveryCompleteCount: -1 };
    return this.each('readSummary', groupId, partitions, (key) => ({
      ...(this.errorCode === ErrorCode.NONE ? (this.states.get(key) ?? none) : none),
      leaderEpoch: 0,
    }));
  }

  delete(groupId: string, partitions: readonly TopicPartitionId[]): Eventually<PartitionResult[]> {
    return this.each('delete', groupId, partitions, (key) => {
      this.states.delete(key);
      return {};
    });
  }

  state(groupId: string, topicId: string, partition: number): State | undefined {
    return this.states.get(keyOf(groupId, { topicId, partition }));
  }

  private each<P extends TopicPartitionId, R>(
    what: string,
    groupId: string,
    partitions: readonly P[],
    one: (key: string, partition: P) => R,
  ): Eventually<(PartitionResult & R)[]> {
    this.calls.push(`${what} ${groupId} ${partitions.map((p) => p.partition).join(',')}`);
    const { errorCode } = this;
    const isFailing = errorCode !== ErrorCode.NONE && what !== 'readSummary';
    const answer = () =>
      partitions.map((p) => {
        const { topicId, partition } = p;
        const result = { topicId, partition, errorCode, errorMessage: null };
        return { ...result, ...(isFailing ? ({} as R) : one(keyOf(groupId, p), p)) };
      });
    return this.until === null ? answer() : this.until.then(answer);
  }
}

const keyOf = (groupId: string, { topicId, partition }: TopicPartitionId): string =>
  `${groupId}:${topicId}:${partition}`;
