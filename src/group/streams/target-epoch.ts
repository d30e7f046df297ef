/** When a group gets a new target: not while the first one waits for members, and not sooner than the interval allows. */
import { DONE, type Outcome } from '../../coordinator/state-machine.ts';
import type { GroupShard } from '../group-shard.ts';
import type { GroupRecord } from '../records.ts';
import type { Target } from './current-assignment.ts';
import type { ConfiguredTopology } from './internal-topics.ts';
import { type Status, StatusCode } from './status.ts';
import { streamsConfig } from './streams-config.ts';
import type { StreamsGroup } from './streams-group.ts';
import type { StreamsMember } from './streams-member.ts';
import { type AssignmentConfigs, newTarget } from './target-assignment.ts';
import { NO_TASKS } from './tasks.ts';
import { isInitialRebalanceDelayed } from './timers.ts';

interface Epoch {
  readonly groupEpoch: number;
  /** The member whose heartbeat it is, as it is about to be. */
  readonly updated: StreamsMember;
  readonly configured: ConfiguredTopology;
  readonly configs: AssignmentConfigs;
  readonly nowMs: number;
}

/** What the member is to have: in the target of the epoch, or still in the last one. */
export function nextTarget(
  shard: GroupShard,
  group: StreamsGroup,
  { groupEpoch, updated, configured, configs, nowMs }: Epoch,
  records: GroupRecord[],
  statuses: Status[],
): Target {
  const { groupId, assignmentEpoch } = group;
  if (isInitialRebalanceDelayed(shard, groupId)) {
    statuses.push(delayed('initial rebalance delay'));
    return { epoch: assignmentEpoch, tasks: NO_TASKS };
  }
  const last = { epoch: assignmentEpoch, tasks: group.targets.get(updated.memberId) ?? NO_TASKS };
  if (assignmentEpoch >= groupEpoch) return last;
  if (!isDue(shard, group, nowMs)) {
    statuses.push(delayed('assignment interval'));
    return last;
  }
  const target = newTarget(group, groupEpoch, updated, configured, configs, nowMs);
  records.push(...target.records);
  shard.env.logger.info({ groupId, groupEpoch }, 'streams group has a new target assignment');
  return { epoch: groupEpoch, tasks: target.tasks.get(updated.memberId) ?? NO_TASKS };
}

function isDue(shard: GroupShard, { groupId, assignmentTimestampMs }: StreamsGroup, nowMs: number): boolean {
  if (assignmentTimestampMs === 0) return true;
  return nowMs >= assignmentTimestampMs + streamsConfig(shard, groupId).get('streams.assignment.interval.ms');
}

const delayed = (reason: string): Status => ({
  statusCode: StatusCode.ASSIGNMENT_DELAYED,
  statusDetail: `Assignment delayed due to the configured ${reason}.`,
});

/** The first assignment has waited long enough: it is made for those who are there. */
export function endInitialDelay(shard: GroupShard, group: StreamsGroup, nowMs: number): Outcome<GroupRecord, void> {
  const { groupId, groupEpoch, configured, assignmentConfigs } = group;
  if (group.isEmpty() || groupEpoch <= group.assignmentEpoch || configured === null) return DONE;
  if (!isDue(shard, group, nowMs)) return DONE;
  shard.env.logger.info({ groupId, groupEpoch }, 'streams group has its first target assignment');
  const { records } = newTarget(group, groupEpoch, null, configured, assignmentConfigs, nowMs);
  return { records, response: undefined };
}
