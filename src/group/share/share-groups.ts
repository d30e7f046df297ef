import { ErrorCode, type ErrorCodeValue, type ErrorName, errorName, KafkaError } from '../../../protocol/errors.ts';
import { asKafkaError } from '../../coordinator/errors.ts';
import { all, andThen, type Eventually } from '../../coordinator/eventually.ts';
import type { Outcome } from '../../coordinator/state-machine.ts';
import type { PartitionResult, TopicPartitionId } from '../../share/persister.ts';
import type { Caller } from '../caller.ts';
import type { GroupShard } from '../group-shard.ts';
import type { GroupOperations } from '../operations.ts';
import type { GroupRecord } from '../records.ts';
import { type AlterRequest, type AlterResponse, alterOffsets, withResults } from './alter-offsets.ts';
import {
  beginDeleteGroup,
  beginDeleteOffsets,
  completeDeleteOffsets,
  type DeletedTopic,
  type DeleteRequest,
  type DeleteResponse,
  type Deletion,
} from './delete-offsets.ts';
import { type DescribedShareGroup, describeShareGroup } from './describe.ts';
import {
  type DescribedOffsets,
  type DescribeOffsetsGroup,
  describedOffsets,
  hasLag,
  initializedPartitions,
  wantedOffsets,
} from './describe-offsets.ts';
import { type Heartbeat, type HeartbeatRequest, type HeartbeatResponse, heartbeat } from './heartbeat.ts';
import { byTopic, type Initialization, initialized, notInitialized } from './initialize.ts';
import { leave } from './leave.ts';
import { errorMessage, messageOfCode } from './messages.ts';
import type { ShareGroupsOptions } from './share-ports.ts';

/** The member epoch with which a member leaves. */
const LEAVING = -1;

/** The requests of share groups (KIP-932). */
export class ShareGroups {
  private readonly operations: GroupOperations;
  private readonly options: ShareGroupsOptions;

  constructor(operations: GroupOperations, options: ShareGroupsOptions) {
    this.operations = operations;
    this.options = options;
  }

  heartbeat(caller: Caller, request: HeartbeatRequest): Eventually<HeartbeatResponse> {
    const { memberId } = request;
    if (memberId === '' || memberId.length > MEMBER_ID_MAX) return { errorCode: ErrorCode.INVALID_REQUEST };
    const invalid = invalidHeartbeat(request);
    if (invalid !== null) return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage: invalid };
    const { groupId } = request;
    if (request.memberEpoch === LEAVING)
      return this.write<HeartbeatResponse>(groupId, (shard) => leave(shard, request), failed);
    const answer = this.write<Heartbeat>(
      groupId,
      (shard, nowMs) => heartbeat(shard, caller, request, nowMs),
      (error) => ({ response: failed(error), initialization: null }),
    );
    return andThen(answer, ({ response, initialization }) => {
      // the member does not wait for the state: the partitions come with a later heartbeat
      if (initialization !== null) void this.initialize(initialization);
      return response;
    });
  }

  describeGroup(groupId: string): DescribedShareGroup {
    if (groupId === '') return { groupId, errorCode: ErrorCode.INVALID_GROUP_ID };
    return this.operations.read<DescribedShareGroup>(
      groupId,
      (shard) => describeShareGroup(shard, groupId),
      (_errorCode, reason) => ({ groupId, ...failed(reason) }),
    );
  }

  describeOffsets({ groupId, topics }: DescribeOffsetsGroup): Eventually<DescribedOffsets> {
    if (topics !== null) {
      const { partitions, unknown } = wantedOffsets(this.options.image(), topics);
      return andThen(this.summaries(groupId, partitions), (described) => ({
        ...described,
        topics: [...(described.topics ?? []), ...unknown],
      }));
    }
    const failure = (errorCode: ErrorCodeValue): DescribedOffsets => {
      return { groupId, errorCode, errorMessage: messageOfCode(errorCode) };
    };
    const known = this.operations.read<TopicPartitionId[] | DescribedOffsets>(
      groupId,
      (shard) => initializedPartitions(shard, groupId),
      failure,
    );
    return Array.isArray(known) ? this.summaries(groupId, known) : known;
  }

  alterOffsets(request: AlterRequest): Eventually<AlterResponse> {
    const { groupId } = request;
    if (groupId === '') return refused('INVALID_GROUP_ID');
    const begun = this.write(
      groupId,
      (shard, nowMs) => alterOffsets(shard, request, nowMs),
      (error) => ({ response: failed(error), initialization: { groupId, partitions: [] } }),
    );
    return andThen(begun, ({ response, initialization }) => {
      if (initialization.partitions.length === 0) return response;
      return andThen(this.askInitialize(initialization), (results) => {
        if (results.some(isFailed)) return withResults(response, results);
        return andThen(this.noteInitialized(groupId, results), () => response);
      });
    });
  }

  deleteOffsets(request: DeleteRequest): Eventually<DeleteResponse> {
    const { groupId } = request;
    if (groupId === '') return refused('INVALID_GROUP_ID');
    const begun = this.write<Deletion | KafkaError>(
      groupId,
      (shard, nowMs) => beginDeleteOffsets(shard, request, nowMs),
      (error) => error,
    );
    return andThen(begun, (deletion) => {
      if (deletion instanceof KafkaError) return failed(deletion);
      if (deletion.partitions.length === 0) return { responses: [...deletion.refused] };
      return andThen(this.askDelete(groupId, deletion.partitions), (results) =>
        this.finishDelete(groupId, results, deletion.refused),
      );
    });
  }

  /** Deletes all state of a group that is about to be deleted; the error code. No share group: NONE. */
  deleteState(groupId: string): Eventually<number> {
    const begun = this.write<Deletion | KafkaError>(
      groupId,
      (shard, nowMs) => beginDeleteGroup(shard, groupId, nowMs),
      (error) => error,
    );
    return andThen(begun, (deletion) => {
      if (deletion instanceof KafkaError) return deletion.code;
      if (deletion.partitions.length === 0) return ErrorCode.NONE;
      return andThen(
        this.askDelete(groupId, deletion.partitions),
        (results) => results.find(isFailed)?.errorCode ?? ErrorCode.NONE,
      );
    });
  }

  /** The topics whose state is gone are noted; those that failed are named. */
  private finishDelete(
    groupId: string,
    results: readonly PartitionResult[],
    refusedTopics: readonly DeletedTopic[],
  ): Eventually<DeleteResponse> {
    const image = this.options.image();
    const failures: DeletedTopic[] = [];
    const done: DeletedTopic[] = [];
    for (const topicId of byTopic(results).keys()) {
      const failure = results.find((r) => r.topicId === topicId && isFailed(r));
      const topicName = image.topicById(topicId)?.name ?? '';
      if (failure === undefined) done.push({ topicId, topicName });
      else {
        const { errorCode } = failure;
        failures.push({ topicId, topicName, errorCode, errorMessage: messageOfCode(errorCode) });
      }
    }
    const others = [...refusedTopics, ...failures];
    if (done.length === 0) return { responses: others };
    const topicIds = new Set(done.map(({ topicId }) => topicId as string));
    const noted = this.write<KafkaError | undefined>(
      groupId,
      (shard, nowMs) => ({ records: completeDeleteOffsets(shard, groupId, topicIds, nowMs), response: undefined }),
      (error) => error,
    );
    return andThen(noted, (error) => (error === undefined ? { responses: [...done, ...others] } : failed(error)));
  }

  /** Asks for state and notes what came of it; nobody waits for it, and every failure is noted or logged. */
  private initialize(initialization: Initialization): Eventually<unknown> {
    return andThen(this.askInitialize(initialization), (results) =>
      this.noteInitialized(initialization.groupId, results),
    );
  }

  private noteInitialized(groupId: string, results: readonly PartitionResult[]): Eventually<unknown> {
    const failure = results.find(isFailed);
    if (failure === undefined)
      return andThen(
        this.note(groupId, (shard, nowMs) => initialized(shard, groupId, results, nowMs)),
        (isNoted) =>
          isNoted ? undefined : this.note(groupId, (shard, nowMs) => notInitialized(shard, groupId, results, nowMs)),
      );
    const { errorCode } = failure;
    this.options.logger.error({ groupId, errorCode }, 'the state of share partitions could not be initialized');
    return this.note(groupId, (shard, nowMs) => notInitialized(shard, groupId, results, nowMs));
  }

  /** True where it is written. */
  private note(
    groupId: string,
    records: (shard: GroupShard, nowMs: number) => readonly GroupRecord[],
  ): Eventually<boolean> {
    return this.write<boolean>(
      groupId,
      (shard, nowMs) => ({ records: records(shard, nowMs), response: true }),
      (error) => {
        this.options.logger.error({ groupId, err: error }, 'the state of share partitions could not be noted');
        return false;
      },
    );
  }

  private askInitialize({ groupId, partitions }: Initialization): Eventually<readonly PartitionResult[]> {
    return this.asked(partitions, () => this.options.persister.initialize(groupId, partitions));
  }

  private askDelete(groupId: string, partitions: readonly TopicPartitionId[]): Eventually<readonly PartitionResult[]> {
    return this.asked(partitions, () => this.options.persister.delete(groupId, partitions));
  }

  /** A persister that fails altogether fails for every partition. */
  private asked(
    partitions: readonly TopicPartitionId[],
    ask: () => Eventually<readonly PartitionResult[]>,
  ): Eventually<readonly PartitionResult[]> {
    const onError = (error: unknown): PartitionResult[] => {
      const { code: errorCode } = asKafkaError(error);
      return partitions.map(({ topicId, partition }) => {
        return { topicId, partition, errorCode, errorMessage: messageOfCode(errorCode) };
      });
    };
    try {
      const results = ask();
      return results instanceof Promise ? results.catch(onError) : results;
    } catch (error) {
      return onError(error);
    }
  }

  private summaries(groupId: string, partitions: readonly TopicPartitionId[]): Eventually<DescribedOffsets> {
    if (partitions.length === 0) return { groupId, topics: [] };
    const asked = partitions.map((of) => ({ ...of, leaderEpoch: -1 }));
    return andThen(this.options.persister.readSummary(groupId, asked), (summaries) => {
      const lagging = summaries.filter(hasLag);
      const ends = all(lagging.map(({ topicId, partition }) => this.options.endOffset(topicId, partition)));
      return andThen(ends, (offsets) => {
        const bySummary = new Map(lagging.map((summary, i) => [summary, offsets[i]]));
        return describedOffsets(this.options.image(), groupId, summaries, bySummary);
      });
    });
  }

  /** Like GroupOperations.write, with the whole error. */
  private write<T>(
    groupId: string,
    operation: (shard: GroupShard, nowMs: number) => Outcome<GroupRecord, T>,
    onFailure: (error: KafkaError) => T,
  ): Eventually<T> {
    return this.operations.write(groupId, operation, (errorCode, reason) =>
      onFailure(reason.code === errorCode ? reason : new KafkaError(errorName(errorCode))),
    );
  }
}

interface Failed {
  readonly errorCode: number;
  readonly errorMessage: string;
}

const isFailed = ({ errorCode }: PartitionResult): boolean => errorCode !== ErrorCode.NONE;

const refused = (name: ErrorName): Failed => ({ errorCode: ErrorCode[name], errorMessage: errorMessage(name) });

/** What went wrong in the error's own words, or Kafka's; of a fault of ours no more than that there is one. */
function failed(error: KafkaError): Failed {
  const isOurs = error.code === ErrorCode.UNKNOWN_SERVER_ERROR;
  const hasWords = error.message !== error.errorName && !isOurs;
  return { errorCode: error.code, errorMessage: hasWords ? error.message : errorMessage(error.errorName) };
}

/** Why a heartbeat is refused before any group is looked at, or null. */
function invalidHeartbeat({ groupId, rackId, memberEpoch, subscribedTopicNames }: HeartbeatRequest): string | null {
  if (groupId === '') return "GroupId can't be empty.";
  if (rackId === '') return "RackId can't be empty.";
  if (memberEpoch === 0 && !subscribedTopicNames?.length) return 'SubscribedTopicNames must be set in first request.';
  return memberEpoch < LEAVING ? 'MemberEpoch is invalid.' : null;
}

/** Members choose their ids themselves: UUIDs. */
const MEMBER_ID_MAX = 36;
