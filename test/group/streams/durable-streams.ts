import type { StreamsGroup } from '../../../src/group/streams/streams-group.ts';
import type { MemoryCoordinatorLog } from '../../support/memory-coordinator-log.ts';
import { loadedShard } from '../durable-state.ts';

/** The group as the log has it; undefined where it has none. */
export function loadedStreams(log: MemoryCoordinatorLog, groupId: string): StreamsGroup | undefined {
  const group = loadedShard(log, 0).groups.get(groupId);
  return group?.type === 'streams' ? group : undefined;
}

/** All that a group keeps in the log. */
export function streamsState(group: StreamsGroup | undefined): unknown {
  if (group === undefined) return null;
  const { groupEpoch, metadataHash, validatedTopologyEpoch, assignmentConfigs, topology, owners, state } = group;
  const { assignmentEpoch, assignmentTimestampMs } = group;
  const epochs = { groupEpoch, assignmentEpoch, assignmentTimestampMs, validatedTopologyEpoch };
  const members = new Map([...group.members].sort(([a], [b]) => (a < b ? -1 : 1)));
  const targets = new Map([...group.targets].sort(([a], [b]) => (a < b ? -1 : 1)));
  return { ...epochs, metadataHash, assignmentConfigs, topology, active: owners.active, state, members, targets };
}
