import type { MetadataImage, TopicImage } from '../controller/image.ts';
import type { Eventually } from '../coordinator/eventually.ts';

/** A coordinator as the metadata moves it: of groups, of share partitions. */
export interface Coordinator {
  onElected(partition: number, epoch: number): Eventually<void>;
  onResigned(partition: number, epoch?: number): void;
  onTopicsDeleted(topics: readonly TopicImage[]): Eventually<unknown>;
}

/** Tells one coordinator which partitions of its topic this node leads. */
export class CoordinatorElections {
  private readonly nodeId: number;
  private readonly topic: string;
  private readonly coordinator: Coordinator;
  /** Leader epoch under which each partition's coordinator was elected here. */
  private readonly elected = new Map<number, number>();

  constructor(nodeId: number, topic: string, coordinator: Coordinator) {
    this.nodeId = nodeId;
    this.topic = topic;
    this.coordinator = coordinator;
  }

  /** Done when what is newly led has been loaded. */
  async follow(image: MetadataImage): Promise<void> {
    const topic = image.topic(this.topic);
    const elections: Eventually<void>[] = [];
    for (const [index, { leader, leaderEpoch }] of (topic?.partitions ?? []).entries()) {
      const isLeader = leader === this.nodeId;
      if (isLeader && this.elected.get(index) !== leaderEpoch) {
        this.elected.set(index, leaderEpoch);
        elections.push(this.coordinator.onElected(index, leaderEpoch));
      } else if (!isLeader && this.elected.delete(index)) {
        this.coordinator.onResigned(index);
      }
    }
    if (topic === undefined) {
      for (const index of this.elected.keys()) this.coordinator.onResigned(index);
      this.elected.clear();
    }
    await Promise.all(elections);
  }
}
