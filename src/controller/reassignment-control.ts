/** Partitions move to other replicas (KIP-455). */
import type {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse,
} from '../../protocol/messages/45-alter-partition-reassignments.ts';
import { PartitionChangeRecord } from '../../protocol/metadata/index.ts';
import type { InputOf, MessageOf } from '../../protocol/schema.ts';
import type { MetadataImage, PartitionImage, TopicImage } from './image.ts';
import { assignmentProblem, newPartition, UNASSIGNED_DIRECTORY, usableBrokers } from './placement.ts';
import { type ApiError, errorOf, NO_ERROR, type Plan, type PlanContext, Refused } from './plan.ts';
import { type MetadataRecord, record } from './records.ts';

type Change = InputOf<typeof PartitionChangeRecord>;

export function planAlterPartitionReassignments(
  context: PlanContext,
  request: MessageOf<typeof AlterPartitionReassignmentsRequest>,
): Plan<InputOf<typeof AlterPartitionReassignmentsResponse>> {
  const records: MetadataRecord[] = [];
  const mayResize = request.allowReplicationFactorChange;
  const responses = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex, replicas }) => ({
      partitionIndex,
      ...reassign(context, { name, index: partitionIndex, replicas, mayResize }, records),
    })),
  }));
  // Kafka writes its empty message where there is nothing to say anything of
  const nothing = request.topics.length === 0 ? { errorMessage: '' } : {};
  const response = { ...NO_ERROR, ...nothing, allowReplicationFactorChange: mayResize, responses };
  return { records, response };
}

interface Target {
  readonly name: string;
  readonly index: number;
  /** null takes a reassignment back. */
  readonly replicas: readonly number[] | null;
  /** Whether the number of replicas may change (KIP-860). */
  readonly mayResize: boolean;
}

function reassign(context: PlanContext, target: Target, records: MetadataRecord[]): ApiError {
  try {
    const { name, index, replicas } = target;
    const topic = context.image.topic(name);
    if (topic === undefined) {
      throw new Refused('UNKNOWN_TOPIC_OR_PARTITION', `Unable to find a topic named ${name}.`);
    }
    if (topic.partitions[index] === undefined) {
      throw new Refused('UNKNOWN_TOPIC_OR_PARTITION', `Unable to find partition ${name}:${index}.`);
    }
    const change =
      replicas === null ? cancelled(context.image, topic, index) : moved(context.image, topic, target, replicas);
    if (change !== null)
      records.push(record(PartitionChangeRecord, { ...change, topicId: topic.id, partitionId: index }));
    return NO_ERROR;
  } catch (error) {
    return errorOf(error);
  }
}

const without = (list: readonly number[], gone: readonly number[]): number[] => list.filter((id) => !gone.includes(id));
const same = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((id, i) => id === b[i]);

/** The replicas that were there before stay, the new ones go. */
function cancelled(image: MetadataImage, topic: TopicImage, index: number): Change {
  const partition = topic.partitions[index];
  const { replicas, isr, addingReplicas, removingReplicas } = partition;
  if (addingReplicas.length === 0 && removingReplicas.length === 0) {
    throw new Refused('NO_REASSIGNMENT_IN_PROGRESS', null);
  }
  const left = without(replicas, addingReplicas);
  const inSync = without(isr, addingReplicas);
  if (inSync.length === 0) {
    throw new Refused(
      'INVALID_REPLICA_ASSIGNMENT',
      `Unable to revert partition assignment for ${topic.name}:${index} because it would require an unclean leader election.`,
    );
  }
  return { ...finished(image, partition, left, inSync), addingReplicas: [], removingReplicas: [] };
}

function moved(
  image: MetadataImage,
  topic: TopicImage,
  { index, mayResize }: Target,
  target: readonly number[],
): Change | null {
  const problem = assignmentProblem(image, target);
  if (problem !== null) throw new Refused('INVALID_REPLICA_ASSIGNMENT', problem);
  const partition = topic.partitions[index];
  // the size that the partition has without a reassignment under way
  const before = without(partition.replicas, partition.addingReplicas);
  if (!mayResize && before.length !== target.length) {
    const message = `The replication factor is changed from ${before.length} to ${target.length}`;
    throw new Refused('INVALID_REPLICATION_FACTOR', message);
  }
  const adding = without(target, before);
  const removing = without(before, target);
  if (adding.length > 0) return begun(image, partition, [...target, ...removing], adding, removing);
  const inSync = partition.isr.filter((id) => target.includes(id));
  if (inSync.length === 0) return begun(image, partition, [...target, ...removing], adding, removing);
  if (same(partition.replicas, target) && !isMoving(partition)) return null;
  const change = finished(image, partition, target, inSync);
  return isMoving(partition) ? { ...change, addingReplicas: [], removingReplicas: [] } : change;
}

const isMoving = (p: PartitionImage): boolean => p.addingReplicas.length > 0 || p.removingReplicas.length > 0;

/** The new replicas join and must catch up before the others go. */
function begun(
  image: MetadataImage,
  partition: PartitionImage,
  replicas: readonly number[],
  addingReplicas: readonly number[],
  removingReplicas: readonly number[],
): Change {
  return { replicas, addingReplicas, removingReplicas, directories: directories(image, partition, replicas) };
}

/** The replicas are in place; a leader that is none of them any more hands over. */
function finished(
  image: MetadataImage,
  partition: PartitionImage,
  replicas: readonly number[],
  isr: readonly number[],
): Change {
  const change: Change = { replicas, directories: directories(image, partition, replicas) };
  const withIsr = same(isr, partition.isr) ? change : { ...change, isr };
  if (replicas.includes(partition.leader)) return withIsr;
  const usable = new Set(usableBrokers(image).map(({ id }) => id));
  const leader = replicas.find((id) => isr.includes(id) && usable.has(id)) ?? -1;
  return leader === partition.leader ? withIsr : { ...withIsr, leader };
}

/** A replica that stays keeps its directory. */
function directories(image: MetadataImage, partition: PartitionImage, replicas: readonly number[]): string[] {
  const fresh = newPartition(image, replicas).directories;
  return replicas.map((id, i) => {
    const at = partition.replicas.indexOf(id);
    return partition.directories[at] ?? fresh[i] ?? UNASSIGNED_DIRECTORY;
  });
}
