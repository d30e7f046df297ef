/**
 * The group coordinator: the service behind the group APIs, over one state machine per partition of `__consumer_offsets`
 * that this node leads. Responses come at once where they can; every failure is in the response, as Kafka puts it there.
 */
import { ErrorCode, type ErrorCodeValue } from '../../protocol/errors.ts';
import type { OffsetCommitRequest, OffsetCommitResponse } from '../../protocol/messages/08-offset-commit.ts';
import type { ListGroupsRequest, ListGroupsResponse } from '../../protocol/messages/16-list-groups.ts';
import type { OffsetDeleteRequest, OffsetDeleteResponse } from '../../protocol/messages/47-offset-delete.ts';
import type { InputOf, MessageOf } from '../../protocol/schema.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import type { MetadataImage } from '../controller/image.ts';
import { asKafkaError } from '../coordinator/errors.ts';
import { all, andThen, type Eventually } from '../coordinator/eventually.ts';
import type { CoordinatorLog, EndMarker, InTransaction } from '../coordinator/log.ts';
import { partitionFor } from '../coordinator/partition-for.ts';
import { CoordinatorRuntime } from '../coordinator/runtime.ts';
import { ServiceWaits } from '../coordinator/service-waits.ts';
import { answered, type Outcome } from '../coordinator/state-machine.ts';
import type { Clock, Logger, Random, Timer } from '../env.ts';
import type { Caller } from './caller.ts';
import { ClassicGroups } from './classic/classic-groups.ts';
import { ConsumerGroups } from './consumer/consumer-groups.ts';
import { GroupShard } from './group-shard.ts';
import { type ListedGroup, listGroups } from './list.ts';
import { commitOffsets } from './offsets/commit.ts';
import { deleteGroup, deleteOffsets, expireGroup, forgetTopics } from './offsets/delete.ts';
import { fetchOffsets, type OffsetFetchGroup, type OffsetFetchGroupResponse } from './offsets/fetch.ts';
import {
  commitTransactionalOffsets,
  endTransaction,
  refusedTransactionalCommit,
  type TransactionalCommit,
  type TransactionalCommitResponse,
} from './offsets/transactional-commit.ts';
import { GroupOperations, type GroupRuntime } from './operations.ts';
import type { GroupRecord } from './records.ts';
import { forgetStateOf } from './share/delete-offsets.ts';
import { ShareGroups } from './share/share-groups.ts';
import type { SharePorts } from './share/share-ports.ts';
import { StreamsGroups } from './streams/streams-groups.ts';

export interface GroupCoordinatorOptions {
  readonly log: CoordinatorLog;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  config(): BrokerConfig;
  /** The metadata in force. */
  image(): MetadataImage;
  /** The partitions of `__consumer_offsets`: those it has, or will have when it is created. */
  partitionCount(): number;
  readonly share: SharePorts;
}

/** A topic that was deleted. */
export interface DeletedTopic {
  readonly id: string;
  readonly name: string;
}

export class GroupCoordinator {
  private readonly options: GroupCoordinatorOptions;
  private readonly runtime: GroupRuntime;
  private readonly operations: GroupOperations;
  readonly classic: ClassicGroups;
  readonly streams: StreamsGroups;
  readonly consumer: ConsumerGroups;
  readonly share: ShareGroups;
  private sweep: Timer;
  private readonly waits: ServiceWaits;

  constructor(options: GroupCoordinatorOptions) {
    this.options = options;
    const { config, image, random, logger, log, clock } = options;
    this.runtime = new CoordinatorRuntime({
      log,
      clock,
      logger,
      commitTimeoutMs: () => config().get('offsets.commit.timeout.ms'),
      create: (_partition, timers) => new GroupShard({ config, image, random, logger, timers }),
    });
    this.waits = new ServiceWaits(clock);
    const { runtime } = this;
    this.operations = new GroupOperations({ runtime, logger, config, partitionFor: (id) => this.partitionFor(id) });
    this.classic = new ClassicGroups(this.operations);
    this.streams = new StreamsGroups(this.operations, clock);
    this.consumer = new ConsumerGroups(this.operations);
    this.share = new ShareGroups(this.operations, { ...options.share, logger, image });
    this.sweep = this.scheduleSweep();
  }

  /** The partition of `__consumer_offsets` that keeps the group. */
  partitionFor(groupId: string): number {
    return partitionFor(groupId, this.options.partitionCount());
  }

  /** This node leads the partition in `epoch`: its groups are loaded, and served when that is done. */
  onElected(partition: number, epoch: number): Eventually<void> {
    const loading = this.runtime.load(partition, epoch);
    if (loading instanceof Promise) return loading.then(() => this.loaded(partition));
    this.loaded(partition);
  }

  /** This node leads the partition no more. */
  onResigned(partition: number, epoch?: number): void {
    this.runtime.unload(partition, epoch);
  }

  /** Committed offsets of deleted topics vanish; done when that is written. */
  onTopicsDeleted(topics: readonly DeletedTopic[]): Eventually<unknown> {
    const byName = new Map(topics.map((topic) => [topic.name, topic]));
    const groupIds = (shard: GroupShard) => shard.offsets.groupIds();
    const topicIds = new Set(topics.map((topic) => topic.id));
    const active = [...this.runtime.partitions()].filter((partition) => this.runtime.isActive(partition));
    const writing = active.map((partition) => {
      this.runtime.read(partition, (shard) => shard.forgetTopicIds(byName.keys()));
      return all([
        this.forEachGroup(partition, groupIds, (shard, groupId) => forgetTopics(shard, groupId, byName)),
        this.forEachGroup(
          partition,
          (shard) => shard.groups.keys(),
          (shard, groupId, nowMs) => forgetStateOf(shard, groupId, topicIds, nowMs),
        ),
      ]);
    });
    return all(writing);
  }

  /** True where the coordinator of the partition serves; else it comes when it does, or as false when time is up. */
  whenServed(partition: number, timeoutMs: number): true | Promise<boolean> {
    return this.runtime.isActive(partition) || this.waits.wait(partition, timeoutMs);
  }

  /** Answers whoever waits with NOT_COORDINATOR, and everybody after that with COORDINATOR_NOT_AVAILABLE. */
  close(): void {
    this.sweep.cancel();
    this.runtime.close();
    this.waits.close();
  }

  /** Topics must carry both names and ids. */
  commitOffsets(
    caller: Caller,
    request: MessageOf<typeof OffsetCommitRequest>,
  ): Eventually<InputOf<typeof OffsetCommitResponse>> {
    return this.operations.write(
      request.groupId,
      (shard, nowMs) => commitOffsets(shard, caller, request, nowMs),
      (errorCode) => ({
        topics: request.topics.map(({ name, topicId, partitions }) => ({
          name,
          topicId,
          partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
        })),
      }),
    );
  }

  /** Offsets that take part in the transaction `within`; topics must exist. */
  commitTransactionalOffsets(
    caller: Caller,
    request: TransactionalCommit,
    within: InTransaction,
  ): Eventually<TransactionalCommitResponse> {
    return this.operations.write(
      request.groupId,
      (shard, nowMs) => commitTransactionalOffsets(shard, request, caller.apiVersion, within, nowMs),
      (errorCode) => refusedTransactionalCommit(request, errorCode),
    );
  }

  /** A transaction with offsets in this partition has ended; gives the error code. */
  endTransaction(partition: number, marker: EndMarker): Eventually<number> {
    const onError = (error: unknown) => this.operations.told(asKafkaError(error), error);
    try {
      const subject = `producer ${marker.producerId}`;
      const done = this.runtime.write(partition, subject, () => endTransaction(marker));
      return done instanceof Promise ? done.catch(onError) : done;
    } catch (error) {
      return onError(error);
    }
  }

  /** The offsets of one group; a failure is its errorCode. Topics must carry names. */
  fetchOffsets(request: OffsetFetchGroup, requireStable: boolean): Eventually<OffsetFetchGroupResponse> {
    const { groupId } = request;
    if (!requireStable) {
      const failed = (errorCode: ErrorCodeValue): OffsetFetchGroupResponse => ({ groupId, errorCode });
      return this.operations.read(groupId, (shard) => fetchOffsets(shard, request, false), failed);
    }
    return this.operations.write(
      groupId,
      // in its turn, so that commits on their way are seen
      (shard) => answered(fetchOffsets(shard, request, true)),
      (errorCode, reason) => {
        // consumers before Kafka 3.9 know only this way to look for the coordinator again
        const timedOut = reason.code === ErrorCode.REQUEST_TIMED_OUT;
        return { groupId, errorCode: timedOut ? ErrorCode.NOT_COORDINATOR : errorCode };
      },
    );
  }

  deleteOffsets(request: MessageOf<typeof OffsetDeleteRequest>): Eventually<InputOf<typeof OffsetDeleteResponse>> {
    if (request.groupId === '') return { errorCode: ErrorCode.INVALID_GROUP_ID };
    return this.operations.write(
      request.groupId,
      (shard) => deleteOffsets(shard, request),
      (errorCode) => ({ errorCode }),
    );
  }

  listGroups(request: MessageOf<typeof ListGroupsRequest>): InputOf<typeof ListGroupsResponse> {
    const groups: ListedGroup[] = [];
    for (const partition of this.runtime.partitions()) {
      try {
        groups.push(...this.runtime.read(partition, (shard) => listGroups(shard, request)));
      } catch (error) {
        const errorCode = this.operations.told(asKafkaError(error), error);
        if (errorCode !== ErrorCode.NOT_COORDINATOR) return { errorCode };
      }
    }
    return { groups };
  }

  /** The error code of the deletion. */
  deleteGroup(groupId: string): Eventually<number> {
    return andThen(this.share.deleteState(groupId), (stateError) => {
      if (stateError !== ErrorCode.NONE) return stateError;
      return this.operations.write(
        groupId,
        (shard) => deleteGroup(shard, groupId),
        (errorCode): number => errorCode,
      );
    });
  }

  private loaded(partition: number): void {
    if (!this.runtime.isActive(partition)) return;
    this.waits.served(partition);
  }

  /** Looks for expired offsets now and then; one partition at a time, so that requests come in between. */
  private scheduleSweep(): Timer {
    const { config, clock } = this.options;
    return clock.after(config().get('offsets.retention.check.interval.ms'), () => {
      for (const partition of this.runtime.partitions()) {
        clock.after(0, () => this.forEachGroup(partition, (shard) => shard.groups.keys(), expireGroup));
      }
      this.sweep = this.scheduleSweep();
    });
  }

  private forEachGroup(
    partition: number,
    groupIds: (shard: GroupShard) => Iterable<string>,
    operation: (shard: GroupShard, groupId: string, nowMs: number) => Outcome<GroupRecord, void>,
  ): Eventually<unknown> {
    if (!this.runtime.isActive(partition)) return undefined;
    const failed = (error: unknown) => this.options.logger.error({ err: error }, 'offsets could not be deleted');
    const one = (groupId: string): Eventually<void> => {
      try {
        const done = this.runtime.write(partition, groupId, (shard, nowMs) => operation(shard, groupId, nowMs));
        return done instanceof Promise ? done.catch(failed) : done;
      } catch (error) {
        failed(error);
      }
    };
    return all(this.runtime.read(partition, (shard) => [...groupIds(shard)]).map(one));
  }
}
