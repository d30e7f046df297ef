/**
 * The group coordinator: the service behind the group APIs, over one state machine per partition of `__consumer_offsets`
 * that this node leads. Responses come at once where they can; every failure is in the response, as Kafka puts it there.
 */
import { ErrorCode, type ErrorCodeValue, type KafkaError } from '../../protocol/errors.ts';
import type { OffsetCommitRequest, OffsetCommitResponse } from '../../protocol/messages/08-offset-commit.ts';
import type { JoinGroupRequest } from '../../protocol/messages/11-join-group.ts';
import type { HeartbeatRequest, HeartbeatResponse } from '../../protocol/messages/12-heartbeat.ts';
import type { LeaveGroupResponse } from '../../protocol/messages/13-leave-group.ts';
import type { SyncGroupRequest } from '../../protocol/messages/14-sync-group.ts';
import type { ListGroupsRequest, ListGroupsResponse } from '../../protocol/messages/16-list-groups.ts';
import type { OffsetDeleteRequest, OffsetDeleteResponse } from '../../protocol/messages/47-offset-delete.ts';
import type { InputOf, MessageOf } from '../../protocol/schema.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import { Answer } from '../coordinator/answer.ts';
import { asKafkaError, coordinatorError } from '../coordinator/errors.ts';
import { all, type Eventually } from '../coordinator/eventually.ts';
import type { CoordinatorLog, EndMarker, InTransaction } from '../coordinator/log.ts';
import { partitionFor } from '../coordinator/partition-for.ts';
import { CoordinatorRuntime } from '../coordinator/runtime.ts';
import { answered, type Outcome } from '../coordinator/state-machine.ts';
import type { Clock, Logger, Random, Timer } from '../env.ts';
import { commitOffsets } from './commit.ts';
import { deleteGroup, deleteOffsets, expireGroup, forgetTopics } from './delete.ts';
import { type DescribedGroup, describeGroup, type ListedGroup, listGroups } from './describe.ts';
import { fetchOffsets, type OffsetFetchGroup, type OffsetFetchGroupResponse } from './fetch.ts';
import { GroupShard } from './group-shard.ts';
import { heartbeat } from './heartbeat.ts';
import { type Caller, join, joining } from './join.ts';
import { type Leaving, leave } from './leave.ts';
import type { JoinResponse, SyncResponse } from './member.ts';
import type { GroupRecord } from './records.ts';
import { sync } from './sync.ts';
import type { GroupTimer } from './timers.ts';
import {
  commitTransactionalOffsets,
  endTransaction,
  refusedTransactionalCommit,
  type TransactionalCommit,
  type TransactionalCommitResponse,
} from './transactional-commit.ts';

export type { Caller } from './join.ts';

export interface GroupCoordinatorOptions {
  readonly log: CoordinatorLog;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  config(): BrokerConfig;
  /** The partitions of `__consumer_offsets`: those it has, or will have when it is created. */
  partitionCount(): number;
}

/** A topic that was deleted. */
export interface DeletedTopic {
  readonly id: string;
  readonly name: string;
}

export class GroupCoordinator {
  private readonly options: GroupCoordinatorOptions;
  private readonly runtime: CoordinatorRuntime<GroupShard, GroupRecord, GroupTimer>;
  private sweep: Timer;
  /** Those who wait until a partition is served. */
  private readonly waiting = new Map<number, Set<(isServed: boolean) => void>>();

  constructor(options: GroupCoordinatorOptions) {
    this.options = options;
    const { config, random, logger, log, clock } = options;
    this.runtime = new CoordinatorRuntime({
      log,
      clock,
      logger,
      commitTimeoutMs: () => config().get('offsets.commit.timeout.ms'),
      create: (_partition, timers) => new GroupShard({ config, random, logger, timers }),
    });
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
    const active = [...this.runtime.partitions()].filter((partition) => this.runtime.isActive(partition));
    const writing = active.map((partition) => {
      this.runtime.read(partition, (shard) => shard.forgetTopicIds(byName.keys()));
      return this.forEachGroup(partition, groupIds, (shard, groupId) => forgetTopics(shard, groupId, byName));
    });
    return all(writing);
  }

  /** True where the coordinator of the partition serves; else it comes when it does, or as false when time is up. */
  whenServed(partition: number, timeoutMs: number): true | Promise<boolean> {
    if (this.runtime.isActive(partition)) return true;
    const waiting = this.waiting.get(partition) ?? new Set();
    this.waiting.set(partition, waiting);
    return new Promise((resolve) => {
      const over = (isServed: boolean) => {
        timeout.cancel();
        waiting.delete(over);
        resolve(isServed);
      };
      const timeout = this.options.clock.after(timeoutMs, () => over(false));
      waiting.add(over);
    });
  }

  /** Answers whoever waits with NOT_COORDINATOR, and everybody after that with COORDINATOR_NOT_AVAILABLE. */
  close(): void {
    this.sweep.cancel();
    this.runtime.close();
    for (const waiting of this.waiting.values()) for (const over of [...waiting]) over(false);
  }

  joinGroup(caller: Caller, request: MessageOf<typeof JoinGroupRequest>): Eventually<JoinResponse> {
    const refused = (errorCode: ErrorCodeValue) => ({ memberId: request.memberId, errorCode });
    if (request.groupId === '') return refused(ErrorCode.INVALID_GROUP_ID);
    const config = this.options.config();
    const isTooShort = request.sessionTimeoutMs < config.get('group.min.session.timeout.ms');
    const isTooLong = request.sessionTimeoutMs > config.get('group.max.session.timeout.ms');
    if (isTooShort || isTooLong) return refused(ErrorCode.INVALID_SESSION_TIMEOUT);
    const answer = new Answer<JoinResponse>();
    const by = joining(caller, request, answer.reply);
    const failed = (errorCode: ErrorCodeValue) => answer.reply({ errorCode });
    this.write(request.groupId, (shard, nowMs) => join(shard, by, nowMs), failed);
    return answer.take();
  }

  syncGroup(request: MessageOf<typeof SyncGroupRequest>): Eventually<SyncResponse> {
    if (request.groupId === '') return { errorCode: ErrorCode.INVALID_GROUP_ID };
    const answer = new Answer<SyncResponse>();
    const failed = (errorCode: ErrorCodeValue) => answer.reply({ errorCode });
    this.write(request.groupId, (shard) => sync(shard, request, answer.reply), failed);
    return answer.take();
  }

  heartbeat(request: MessageOf<typeof HeartbeatRequest>): Eventually<InputOf<typeof HeartbeatResponse>> {
    if (request.groupId === '') return { errorCode: ErrorCode.INVALID_GROUP_ID };
    return this.write(
      request.groupId,
      (shard) => heartbeat(shard, request),
      // a group that is being loaded is taken to be as its members know it
      (errorCode) => ({ errorCode: errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS ? ErrorCode.NONE : errorCode }),
    );
  }

  leaveGroup(groupId: string, members: readonly Leaving[]): Eventually<InputOf<typeof LeaveGroupResponse>> {
    if (groupId === '') return { errorCode: ErrorCode.INVALID_GROUP_ID };
    return this.write(
      groupId,
      (shard, nowMs) => leave(shard, groupId, members, nowMs),
      (errorCode) => {
        if (errorCode !== ErrorCode.UNKNOWN_MEMBER_ID) return { errorCode };
        return { members: members.map(({ memberId, groupInstanceId }) => ({ memberId, groupInstanceId, errorCode })) };
      },
    );
  }

  /** Topics must carry both names and ids. */
  commitOffsets(
    caller: Caller,
    request: MessageOf<typeof OffsetCommitRequest>,
  ): Eventually<InputOf<typeof OffsetCommitResponse>> {
    return this.write(
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
    request: TransactionalCommit,
    within: InTransaction,
  ): Eventually<TransactionalCommitResponse> {
    return this.write(
      request.groupId,
      (shard, nowMs) => commitTransactionalOffsets(shard, request, within, nowMs),
      (errorCode) => refusedTransactionalCommit(request, errorCode),
    );
  }

  /** A transaction with offsets in this partition has ended; gives the error code. */
  endTransaction(partition: number, marker: EndMarker): Eventually<number> {
    const onError = (error: unknown) => this.told(asKafkaError(error), error);
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
      return this.read(groupId, (shard) => fetchOffsets(shard, request, false), failed);
    }
    return this.write(
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
    return this.write(
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
        const errorCode = this.told(asKafkaError(error), error);
        if (errorCode !== ErrorCode.NOT_COORDINATOR) return { errorCode };
      }
    }
    return { groups };
  }

  describeGroup(groupId: string, apiVersion: number): DescribedGroup {
    const failed = (errorCode: ErrorCodeValue): DescribedGroup => ({ groupId, errorCode });
    return this.read(groupId, (shard) => describeGroup(shard, groupId, apiVersion), failed);
  }

  /** The error code of the deletion. */
  deleteGroup(groupId: string): Eventually<number> {
    return this.write(
      groupId,
      (shard) => deleteGroup(shard, groupId),
      (errorCode): number => errorCode,
    );
  }

  private write<T>(
    groupId: string,
    operation: (shard: GroupShard, nowMs: number) => Outcome<GroupRecord, T>,
    failed: (errorCode: ErrorCodeValue, reason: KafkaError) => T,
  ): Eventually<T> {
    const onError = (error: unknown) => {
      const reason = asKafkaError(error);
      return failed(this.told(reason, error), reason);
    };
    try {
      const done = this.runtime.write(this.partitionFor(groupId), groupId, operation);
      return done instanceof Promise ? done.catch(onError) : done;
    } catch (error) {
      return onError(error);
    }
  }

  private read<T>(groupId: string, query: (shard: GroupShard) => T, failed: (errorCode: ErrorCodeValue) => T): T {
    try {
      return this.runtime.read(this.partitionFor(groupId), query);
    } catch (error) {
      return failed(this.told(asKafkaError(error), error));
    }
  }

  /** The code a client is told; a fault of ours goes to the log. */
  private told(reason: KafkaError, error: unknown): ErrorCodeValue {
    if (reason.code === ErrorCode.UNKNOWN_SERVER_ERROR)
      this.options.logger.error({ err: error }, 'the group coordinator failed');
    return coordinatorError(reason.code);
  }

  private loaded(partition: number): void {
    if (!this.runtime.isActive(partition)) return;
    for (const over of [...(this.waiting.get(partition) ?? [])]) over(true);
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
