import { andThen, type Eventually } from '../../coordinator/eventually.ts';
import type {
  InitializeState,
  PartitionResult,
  ReadResult,
  ReadState,
  SharePersister,
  SummaryResult,
  TopicPartitionId,
  WriteState,
} from '../persister.ts';
import type { ShareCoordinator } from './share-coordinator.ts';

export interface LocalPersisterOptions {
  readonly coordinator: ShareCoordinator;
  /** Sees to it that `__share_group_state` exists; at once where it does. Rejects with KafkaError. */
  ensureStateTopic(): Eventually<unknown>;
}

/** How long a coordinator that is being loaded is waited for. */
const LOADING_TIMEOUT_MS = 5000;

/**
 * The share coordinator of this process, reached as a remote one is: the topic is made when it is first needed, and a coordinator
 * that is being loaded is waited for.
 */
export class LocalPersister implements SharePersister {
  private readonly options: LocalPersisterOptions;

  constructor(options: LocalPersisterOptions) {
    this.options = options;
  }

  initialize(groupId: string, partitions: readonly InitializeState[]): Eventually<PartitionResult[]> {
    return this.whenServed(groupId, partitions, (coordinator) => coordinator.initialize(groupId, partitions));
  }

  read(groupId: string, partitions: readonly ReadState[]): Eventually<ReadResult[]> {
    return this.whenServed(groupId, partitions, (coordinator) => coordinator.read(groupId, partitions));
  }

  write(groupId: string, partitions: readonly WriteState[]): Eventually<PartitionResult[]> {
    return this.whenServed(groupId, partitions, (coordinator) => coordinator.write(groupId, partitions));
  }

  readSummary(groupId: string, partitions: readonly TopicPartitionId[]): Eventually<SummaryResult[]> {
    return this.whenServed(groupId, partitions, (coordinator) => coordinator.readSummary(groupId, partitions));
  }

  delete(groupId: string, partitions: readonly TopicPartitionId[]): Eventually<PartitionResult[]> {
    return this.whenServed(groupId, partitions, (coordinator) => coordinator.delete(groupId, partitions));
  }

  /** Where the wait is in vain the coordinator itself says what is wrong. */
  private whenServed<T extends PartitionResult>(
    groupId: string,
    partitions: readonly TopicPartitionId[],
    ask: (coordinator: ShareCoordinator) => Eventually<T[]>,
  ): Eventually<T[]> {
    const { coordinator } = this.options;
    return andThen(this.options.ensureStateTopic(), () => {
      const waits = [...new Set(partitions.map((of) => coordinator.partitionFor(groupId, of)))]
        .map((partition) => coordinator.whenServed(partition, LOADING_TIMEOUT_MS))
        .filter((wait) => wait instanceof Promise);
      return waits.length === 0 ? ask(coordinator) : Promise.all(waits).then(() => ask(coordinator));
    });
  }
}
