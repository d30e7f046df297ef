/** Values by group, topic and partition; what has become empty is forgotten. */
export class PartitionTable<V> {
  private readonly groups = new Map<string, Map<string, Map<number, V>>>();

  get(groupId: string, topic: string, partition: number): V | undefined {
    return this.groups.get(groupId)?.get(topic)?.get(partition);
  }

  /** A group's values by topic and partition. */
  of(groupId: string): ReadonlyMap<string, ReadonlyMap<number, V>> | undefined {
    return this.groups.get(groupId);
  }

  groupIds(): IterableIterator<string> {
    return this.groups.keys();
  }

  set(groupId: string, topic: string, partition: number, value: V): void {
    let topics = this.groups.get(groupId);
    if (topics === undefined) {
      topics = new Map();
      this.groups.set(groupId, topics);
    }
    let partitions = topics.get(topic);
    if (partitions === undefined) {
      partitions = new Map();
      topics.set(topic, partitions);
    }
    partitions.set(partition, value);
  }

  delete(groupId: string, topic: string, partition: number): void {
    const topics = this.groups.get(groupId);
    const partitions = topics?.get(topic);
    if (topics === undefined || partitions === undefined) return;
    partitions.delete(partition);
    if (partitions.size > 0) return;
    topics.delete(topic);
    if (topics.size === 0) this.groups.delete(groupId);
  }

  *entriesOf(groupId: string): IterableIterator<[topic: string, partition: number, value: V]> {
    for (const [topic, partitions] of this.groups.get(groupId) ?? []) {
      for (const [partition, value] of partitions) yield [topic, partition, value];
    }
  }
}
