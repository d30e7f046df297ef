import {
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsResponse,
} from '../../protocol/messages/46-list-partition-reassignments.ts';
import type { MessageOf } from '../../protocol/schema.ts';
import type { MetadataImage, PartitionImage } from '../controller/image.ts';
import { handler } from './handler.ts';

type Request = MessageOf<typeof ListPartitionReassignmentsRequest>;

/** ListPartitionReassignments (KIP-455): partitions on their way to other replicas; topics without one are left out. */
export const listPartitionReassignments = handler({
  request: ListPartitionReassignmentsRequest,
  response: ListPartitionReassignmentsResponse,
  versions: [0, 0],

  handle(context, request) {
    const image = context.broker.image();
    const topics = wanted(image, request)
      .map(({ name, indexes }) => ({ name, partitions: reassigning(image, name, indexes) }))
      .filter(({ partitions }) => partitions.length > 0);
    return { errorCode: 0, errorMessage: null, topics };
  },

  failed: (_request, errorCode, errorMessage) => ({ errorCode, errorMessage, topics: [] }),
});

interface Wanted {
  readonly name: string;
  readonly indexes: readonly number[];
}

function wanted(image: MetadataImage, { topics }: Request): Wanted[] {
  if (topics === null) return [...image.topics()].map((t) => ({ name: t.name, indexes: [...t.partitions.keys()] }));
  return topics.map(({ name, partitionIndexes }) => ({ name, indexes: partitionIndexes }));
}

const isReassigning = (p: PartitionImage): boolean => p.addingReplicas.length > 0 || p.removingReplicas.length > 0;

function reassigning(image: MetadataImage, name: string, indexes: readonly number[]) {
  return indexes.flatMap((partitionIndex) => {
    const partition = image.topic(name)?.partitions[partitionIndex];
    if (partition === undefined || !isReassigning(partition)) return [];
    const { replicas, addingReplicas, removingReplicas } = partition;
    return [{ partitionIndex, replicas, addingReplicas, removingReplicas }];
  });
}
