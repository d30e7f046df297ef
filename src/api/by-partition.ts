/**
 * What is said of partitions, where a request may name one of them twice, or a topic. Kafka reads such requests into a map by topic and
 * partition: what is named last counts, each partition is answered once, and a topic without partitions not at all. Here each keeps the
 * place in which it was named first.
 */
export class ByPartition<T> {
  private readonly byTopic = new Map<string, Map<number, T>>();

  /** By the topic's name or id; none is empty. */
  get topics(): ReadonlyMap<string, ReadonlyMap<number, T>> {
    return this.byTopic;
  }

  get(topic: string, index: number): T | undefined {
    return this.byTopic.get(topic)?.get(index);
  }

  /** Takes the place of what was said of the partition before. */
  set(topic: string, index: number, value: T): void {
    const partitions = this.byTopic.get(topic);
    if (partitions === undefined) this.byTopic.set(topic, new Map([[index, value]]));
    else partitions.set(index, value);
  }
}
