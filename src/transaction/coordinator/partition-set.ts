/** Partitions by topic; immutable, so that what was handed out never changes. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export class PartitionSet implements Iterable<TopicPartition> {
  static readonly EMPTY = new PartitionSet(new Map());

  readonly byTopic: ReadonlyMap<string, ReadonlySet<number>>;

  private constructor(byTopic: ReadonlyMap<string, ReadonlySet<number>>) {
    this.byTopic = byTopic;
  }

  static of(partitions: Iterable<TopicPartition>): PartitionSet {
    return PartitionSet.EMPTY.plus(partitions);
  }

  get isEmpty(): boolean {
    return this.byTopic.size === 0;
  }

  has({ topic, partition }: TopicPartition): boolean {
    return this.byTopic.get(topic)?.has(partition) ?? false;
  }

  hasAll(partitions: Iterable<TopicPartition>): boolean {
    for (const partition of partitions) if (!this.has(partition)) return false;
    return true;
  }

  plus(partitions: Iterable<TopicPartition>): PartitionSet {
    const byTopic = new Map(this.byTopic);
    const changed = new Map<string, Set<number>>();
    for (const { topic, partition } of partitions) {
      let ofTopic = changed.get(topic);
      if (ofTopic === undefined) {
        ofTopic = new Set(byTopic.get(topic));
        changed.set(topic, ofTopic);
        byTopic.set(topic, ofTopic);
      }
      ofTopic.add(partition);
    }
    return new PartitionSet(byTopic);
  }

  /** Those for which `keep` is true. */
  filter(keep: (partition: TopicPartition) => boolean): PartitionSet {
    return PartitionSet.of([...this].filter(keep));
  }

  *[Symbol.iterator](): IterableIterator<TopicPartition> {
    for (const [topic, partitions] of this.byTopic) for (const partition of partitions) yield { topic, partition };
  }
}
