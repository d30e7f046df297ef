/**
 * How far the share coordinator has state for a group's partitions (ShareGroupStatePartitionMetadata): only those with state
 * are assigned. Immutable; each change makes the next value, which a record then brings into force.
 */
import type { ShareGroupStatePartitionMetadataValue } from '../../../protocol/groups/share-group-state-partition-metadata.ts';
import type { MessageOf } from '../../../protocol/schema.ts';
import type { MetadataImage } from '../../controller/image.ts';
import { minus } from './sets.ts';
import type { TopicPartitions } from './topic-partitions.ts';

export type StatePartitionMetadata = MessageOf<typeof ShareGroupStatePartitionMetadataValue>;

export interface StateTopic {
  readonly name: string;
  readonly partitions: ReadonlySet<number>;
}

/** By topic id. */
export type StateTopics = ReadonlyMap<string, StateTopic>;

export interface StatePartitions {
  /** The share coordinator has been asked for state, and has not answered yet. */
  readonly initializing: StateTopics;
  readonly initialized: StateTopics;
  /** Ids of topics whose state is being deleted. */
  readonly deleting: ReadonlySet<string>;
}

export const NO_STATE: StatePartitions = { initializing: new Map(), initialized: new Map(), deleting: new Set() };

/** What stands in a record for the name of a topic that is gone. */
const UNKNOWN_TOPIC = '<UNKNOWN>';

export function nameOf(image: MetadataImage, topicId: string): string {
  return image.topicById(topicId)?.name ?? UNKNOWN_TOPIC;
}

export function fromMetadata(value: StatePartitionMetadata): StatePartitions {
  const topics = (infos: StatePartitionMetadata['initializedTopics']): StateTopics =>
    new Map(infos.map((t) => [t.topicId, { name: t.topicName, partitions: new Set(t.partitions) }]));
  return {
    initializing: topics(value.initializingTopics),
    initialized: topics(value.initializedTopics),
    deleting: new Set(value.deletingTopics.map((t) => t.topicId)),
  };
}

export function toMetadata(of: StatePartitions, image: MetadataImage): StatePartitionMetadata {
  const infos = (topics: StateTopics) =>
    [...topics].map(([topicId, { name, partitions }]) => ({ topicId, topicName: name, partitions: [...partitions] }));
  return {
    initializingTopics: infos(of.initializing),
    initializedTopics: infos(of.initialized),
    deletingTopics: [...of.deleting].map((topicId) => ({ topicId, topicName: nameOf(image, topicId) })),
  };
}

/** Both together; names come from `more` where both have the topic. */
export function union(some: StateTopics, more: StateTopics): StateTopics {
  const all = new Map(some);
  for (const [topicId, { name, partitions }] of more) {
    all.set(topicId, { name, partitions: new Set([...(some.get(topicId)?.partitions ?? []), ...partitions]) });
  }
  return all;
}

/** The first without the partitions of the second; topics that come to nothing are left out. */
export function without(some: StateTopics, less: TopicPartitions): StateTopics {
  const rest = new Map<string, StateTopic>();
  for (const [topicId, { name, partitions }] of some) {
    const gone = less.get(topicId);
    const left = gone === undefined ? partitions : minus(partitions, gone);
    if (left.size > 0) rest.set(topicId, { name, partitions: left });
  }
  return rest;
}

/** State is asked for; a topic whose state was being deleted gets new state. */
export function beginInitializing(of: StatePartitions, topics: StateTopics): StatePartitions {
  const initializing = union(of.initializing, topics);
  const deleting = new Set([...of.deleting].filter((topicId) => !initializing.has(topicId)));
  return { ...of, initializing, deleting };
}

/** The share coordinator has state for these now. */
export function becomeInitialized(of: StatePartitions, done: TopicPartitions, image: MetadataImage): StatePartitions {
  const topics = new Map(
    [...done].map(([topicId, partitions]) => [topicId, { name: nameOf(image, topicId), partitions }]),
  );
  return { ...of, initializing: without(of.initializing, done), initialized: union(of.initialized, topics) };
}

/** Topics that are gone, with all that is known of their state. */
export function forgetTopics(of: StatePartitions, topicIds: ReadonlySet<string>): StatePartitions {
  const others = (topics: StateTopics): StateTopics => new Map([...topics].filter(([id]) => !topicIds.has(id)));
  return {
    initializing: others(of.initializing),
    initialized: others(of.initialized),
    deleting: minus(of.deleting, topicIds),
  };
}

/** Whether one of the topics is among them. */
export function mentions(of: StatePartitions, topicIds: ReadonlySet<string>): boolean {
  return [...topicIds].some((id) => of.initializing.has(id) || of.initialized.has(id) || of.deleting.has(id));
}
