/** What can be asked of the share coordinator for one share partition (KIP-932); refusals are results, not exceptions. */
import { ErrorCode, type ErrorName } from '../../../protocol/errors.ts';
import type { Outcome } from '../../coordinator/state-machine.ts';
import { errorMessage } from '../error-messages.ts';
import type {
  InitializeState,
  PartitionResult,
  ReadResult,
  ReadState,
  SummaryResult,
  TopicPartitionId,
  WriteState,
} from '../persister.ts';
import { coordinatorKey } from '../share-partition-key.ts';
import { combineBatches } from '../state-batch.ts';
import type { ShareRecord, ShareSnapshot } from './records.ts';
import type { ShareShard, ShareState } from './share-shard.ts';

interface Refusal {
  readonly errorCode: number;
  readonly errorMessage: string;
}

const NEGATIVE_PARTITION = 'The partition id cannot be a negative number.';
const UNKNOWN_EPOCH = -1;

const refused = (name: ErrorName): Refusal => ({
  errorCode: ErrorCode[name],
  errorMessage: errorMessage(name),
});
const invalid = (errorMessage: string): Refusal => ({ errorCode: ErrorCode.INVALID_REQUEST, errorMessage });

const idOf = ({ topicId, partition }: TopicPartitionId): TopicPartitionId => ({ topicId, partition });
const succeeded = (of: TopicPartitionId): PartitionResult => ({ ...idOf(of), errorCode: 0, errorMessage: null });

const stateOf = (shard: ShareShard, groupId: string, of: TopicPartitionId): ShareState | undefined =>
  shard.states.get(coordinatorKey({ groupId, ...of }));

function answered<T>(response: T): Outcome<ShareRecord, T> {
  return { records: [], response };
}

/** Makes a share partition begin anew: nothing of its state before stays but the epochs that fence. */
export function initializeState(
  shard: ShareShard,
  groupId: string,
  wanted: InitializeState,
  nowMs: number,
): Outcome<ShareRecord, PartitionResult> {
  const state = stateOf(shard, groupId, wanted);
  const problem = negative(wanted) ?? fencedByState(state, wanted.stateEpoch) ?? unknown(shard, wanted);
  if (problem !== null) return answered({ ...idOf(wanted), ...problem });
  const { startOffset, stateEpoch } = wanted;
  const value: ShareSnapshot = {
    snapshotEpoch: state === undefined ? 0 : state.value.snapshotEpoch + 1,
    stateEpoch,
    leaderEpoch: 0,
    startOffset,
    deliveryCompleteCount: startOffset === -1 ? -1 : 0,
    stateBatches: [],
    createTimestampMs: nowMs,
    writeTimestampMs: nowMs,
  };
  const key = { groupId, ...idOf(wanted) };
  return { records: [{ type: 'snapshot', key, value }], response: succeeded(wanted) };
}

/** The state, for a leader of the partition, whose epoch is noted so that leaders before it are fenced. */
export function readState(
  shard: ShareShard,
  groupId: string,
  wanted: ReadState,
  nowMs: number,
): Outcome<ShareRecord, ReadResult> {
  const state = stateOf(shard, groupId, wanted);
  const problem =
    negative(wanted) ??
    uninitialized(state, 'Read') ??
    fencedByLeader(state, wanted.leaderEpoch) ??
    unknown(shard, wanted);
  if (problem !== null || state === undefined) return answered({ ...idOf(wanted), ...NO_STATE, ...problem });
  const { stateEpoch, startOffset, stateBatches, deliveryCompleteCount } = state.value;
  const response = { ...succeeded(wanted), stateEpoch, startOffset, stateBatches };
  if (wanted.leaderEpoch === UNKNOWN_EPOCH || wanted.leaderEpoch === state.leaderEpoch) return answered(response);
  const noted = { ...wanted, stateEpoch, startOffset, deliveryCompleteCount, stateBatches: [] };
  return { records: [changed(shard, state, noted, wanted.leaderEpoch, nowMs)], response };
}

/** Where a refused read stands. */
const NO_STATE = { errorCode: 0, errorMessage: null, stateEpoch: 0, startOffset: 0, stateBatches: [] };

export function writeState(
  shard: ShareShard,
  groupId: string,
  wanted: WriteState,
  nowMs: number,
): Outcome<ShareRecord, PartitionResult> {
  const state = stateOf(shard, groupId, wanted);
  const problem =
    negative(wanted) ??
    uninitialized(state, 'Write') ??
    fencedByLeader(state, wanted.leaderEpoch) ??
    fencedByState(state, wanted.stateEpoch) ??
    unknown(shard, wanted);
  if (problem !== null || state === undefined) return answered({ ...succeeded(wanted), ...problem });
  const record = changed(shard, state, wanted, state.value.leaderEpoch, nowMs);
  return { records: [record], response: succeeded(wanted) };
}

export function readStateSummary(shard: ShareShard, groupId: string, wanted: TopicPartitionId): SummaryResult {
  const problem = negative(wanted) ?? unknown(shard, wanted);
  if (problem !== null) return { ...idOf(wanted), ...NO_SUMMARY, ...problem };
  const state = stateOf(shard, groupId, wanted);
  if (state === undefined) return { ...succeeded(wanted), ...NEVER_INITIALIZED };
  const { stateEpoch, leaderEpoch, startOffset, deliveryCompleteCount } = state.value;
  return { ...succeeded(wanted), stateEpoch, leaderEpoch, startOffset, deliveryCompleteCount };
}

const NO_SUMMARY = { stateEpoch: 0, leaderEpoch: 0, startOffset: 0, deliveryCompleteCount: -1 };
const NEVER_INITIALIZED = { stateEpoch: 0, leaderEpoch: 0, startOffset: -1, deliveryCompleteCount: -1 };

/** Deletes a share partition; one that does not exist is as good as deleted. */
export function deleteState(
  shard: ShareShard,
  groupId: string,
  wanted: TopicPartitionId,
): Outcome<ShareRecord, PartitionResult> {
  const problem = negative(wanted) ?? unknown(shard, wanted);
  if (problem !== null) return answered({ ...idOf(wanted), ...problem });
  const state = stateOf(shard, groupId, wanted);
  return { records: state === undefined ? [] : [tombstone(state)], response: succeeded(wanted) };
}

/** The topic of a share partition is gone. */
export function forgetTopics(
  shard: ShareShard,
  name: string,
  topicIds: ReadonlySet<string>,
): Outcome<ShareRecord, void> {
  const state = shard.states.get(name);
  if (state === undefined || !topicIds.has(state.key.topicId)) return answered(undefined);
  return { records: [tombstone(state)], response: undefined };
}

/** Whether snapshots have to be written for those that have not changed for long: not where that has been done for all. */
export function hasUnmovedStates(shard: ShareShard): boolean {
  return [...shard.states.values()].some(({ value }) => value.createTimestampMs === value.writeTimestampMs);
}

/** A share partition that hardly changes gets a snapshot from time to time, lest its old one keep the log from being pruned. */
export function snapshotCold(shard: ShareShard, name: string, nowMs: number): Outcome<ShareRecord, void> {
  const state = shard.states.get(name);
  if (state === undefined) return answered(undefined);
  const { key, value } = state;
  const intervalMs = shard.env.config().get('share.coordinator.cold.partition.snapshot.interval.ms');
  if (nowMs - value.writeTimestampMs < intervalMs) return answered(undefined);
  const moved = { ...value, snapshotEpoch: value.snapshotEpoch + 1, writeTimestampMs: nowMs };
  return { records: [{ type: 'snapshot', key, value: moved }], response: undefined };
}

const tombstone = ({ key }: ShareState): ShareRecord => ({ type: 'snapshot', key, value: null });

/** The record of a change: an update, or a snapshot where there have been updates enough. */
function changed(
  shard: ShareShard,
  { key, value, updates }: ShareState,
  wanted: Omit<WriteState, keyof ReadState>,
  leaderEpoch: number,
  nowMs: number,
): ShareRecord {
  const { deliveryCompleteCount } = wanted;
  if (updates < shard.updatesPerSnapshot) {
    const { snapshotEpoch } = value;
    const stateBatches = combineBatches(wanted.stateBatches, wanted.startOffset);
    const { startOffset } = wanted;
    return {
      type: 'update',
      key,
      value: { snapshotEpoch, leaderEpoch, startOffset, deliveryCompleteCount, stateBatches },
    };
  }
  const startOffset = wanted.startOffset === -1 ? value.startOffset : wanted.startOffset;
  const snapshot: ShareSnapshot = {
    snapshotEpoch: value.snapshotEpoch + 1,
    stateEpoch: value.stateEpoch,
    leaderEpoch,
    startOffset,
    deliveryCompleteCount,
    stateBatches: combineBatches([...value.stateBatches, ...wanted.stateBatches], startOffset),
    createTimestampMs: nowMs,
    writeTimestampMs: nowMs,
  };
  return { type: 'snapshot', key, value: snapshot };
}

function negative({ partition }: TopicPartitionId): Refusal | null {
  return partition < 0 ? invalid(NEGATIVE_PARTITION) : null;
}

function uninitialized(state: ShareState | undefined, what: 'Read' | 'Write'): Refusal | null {
  return state === undefined ? invalid(`${what} operation on uninitialized share partition not allowed.`) : null;
}

function fencedByLeader(state: ShareState | undefined, leaderEpoch: number): Refusal | null {
  const isFenced = leaderEpoch !== UNKNOWN_EPOCH && state !== undefined && state.leaderEpoch > leaderEpoch;
  return isFenced ? refused('FENCED_LEADER_EPOCH') : null;
}

function fencedByState(state: ShareState | undefined, stateEpoch: number): Refusal | null {
  const isFenced = stateEpoch !== UNKNOWN_EPOCH && state !== undefined && state.stateEpoch > stateEpoch;
  return isFenced ? refused('FENCED_STATE_EPOCH') : null;
}

function unknown(shard: ShareShard, { topicId, partition }: TopicPartitionId): Refusal | null {
  const count = shard.env.partitionCountOf(topicId);
  return count === null || partition >= count ? refused('UNKNOWN_TOPIC_OR_PARTITION') : null;
}
