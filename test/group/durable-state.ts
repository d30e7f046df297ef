import { deepStrictEqual } from 'node:assert';
import { MetadataImage } from '../../src/controller/image.ts';
import type { ClassicGroup } from '../../src/group/classic/classic-group.ts';
import type { ConsumerGroup } from '../../src/group/consumer/consumer-group.ts';
import type { Group } from '../../src/group/group.ts';
import { GroupShard } from '../../src/group/group-shard.ts';
import type { GroupRuntime } from '../../src/group/operations.ts';
import type { ShareGroup } from '../../src/group/share/share-group.ts';
import { brokerConfig } from '../config/samples.ts';
import { CollectingLogger } from '../support/loggers.ts';
import type { MemoryCoordinatorLog } from '../support/memory-coordinator-log.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import type { GroupBroker } from './group-broker.ts';

/** A state machine filled from a partition of the log. */
export function loadedShard(log: MemoryCoordinatorLog, partition: number): GroupShard {
  const config = brokerConfig();
  const timers = { schedule: () => undefined, extend: () => false, has: () => false, cancel: () => undefined };
  const random = new SeededRandom(0);
  const image = () => MetadataImage.EMPTY;
  const shard = new GroupShard({ config: () => config, image, random, logger: new CollectingLogger(), timers });
  for (const record of log.records(partition)) shard.load(record);
  shard.loaded(0);
  return shard;
}

/** The state machine that a broker uses. */
export function liveShard(broker: GroupBroker, partition: number): GroupShard {
  const runtime: GroupRuntime = Reflect.get(broker.groups, 'runtime');
  return runtime.read(partition, (shard) => shard);
}

/** Holds what a broker knows against what its log says; of groups amid a rebalance the log knows an earlier state. */
export function expectSameAfterReplay(broker: GroupBroker): void {
  for (let partition = 0; partition < broker.partitionCount; partition++) {
    const live = liveShard(broker, partition);
    const loaded = loadedShard(broker.log, partition);
    deepStrictEqual([...loaded.groups.keys()].sort(), [...live.groups.keys()].sort());
    const settled = [...live.groups.keys()].filter((groupId) => isSettled(live.groups.get(groupId)));
    for (const groupId of settled) deepStrictEqual(group(loaded, groupId), group(live, groupId));
    deepStrictEqual(offsets(loaded), offsets(live));
  }
}

/** Consumer groups have nothing that is not in the log. */
const isSettled = (of: Group | undefined): boolean => of?.type !== 'classic' || of.isIn('Empty', 'Stable');

function group(shard: GroupShard, groupId: string): unknown {
  const of = shard.groups.get(groupId);
  if (of === undefined) return null;
  if (of.type === 'classic') return classicGroup(of);
  if (of.type === 'consumer') return consumerGroup(of);
  if (of.type === 'share') return share(of);
  return { type: of.type, state: of.state };
}

function consumerGroup(of: ConsumerGroup): unknown {
  const { groupId, state, groupEpoch, metadataHash, assignmentEpoch, assignmentTimestampMs, classicMemberCount } = of;
  const { members, staticMembers, targetAssignment, resolvedRegexes, subscriptions } = of;
  const epochs = { groupEpoch, metadataHash, assignmentEpoch, assignmentTimestampMs };
  const counts = { classicMemberCount, topics: subscriptions.topics, regexes: subscriptions.regexes };
  const owners = Reflect.get(of, 'owners');
  return { groupId, state, ...epochs, ...counts, members, staticMembers, targetAssignment, resolvedRegexes, owners };
}

function classicGroup(g: ClassicGroup): unknown {
  const { groupId } = g;
  const { state, generationId, protocolType, protocolName, leaderId, subscribedTopics } = g;
  const members = [...g.members.values()].map((m) => {
    const { memberId, groupInstanceId, clientId, clientHost, sessionTimeoutMs, rebalanceTimeoutMs, assignment } = m;
    const names = { memberId, groupInstanceId, clientId, clientHost, sessionTimeoutMs, rebalanceTimeoutMs };
    return { ...names, assignment: String(assignment), metadata: String(m.metadata(protocolName ?? '')) };
  });
  const sorted = members.sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
  return { groupId, state, generationId, protocolType, protocolName, leaderId, subscribedTopics, members: sorted };
}

function share(group: ShareGroup): unknown {
  const { checked: _checked, statePartitionsMs: _statePartitionsMs, unassigned: _unassigned, ...durable } = group;
  return durable;
}

function offsets(shard: GroupShard): unknown {
  const all = [...shard.offsets.groupIds()].flatMap((groupId) =>
    [...shard.offsets.committed.entriesOf(groupId)].map(([topic, partition, stored]) => ({
      name: `${groupId} ${topic} ${partition}`,
      ...stored,
    })),
  );
  return all.sort((a, b) => (a.name < b.name ? -1 : 1));
}
