import type { DirectoryAssignment } from '../controller/directory-control.ts';
import { type MetadataDelta, type MetadataImage, ResourceType, type TopicImage } from '../controller/image.ts';
import type { Partitions } from '../partition/partitions.ts';
import { type Coordinator, CoordinatorElections } from './coordinator-elections.ts';
import type { LiveConfig } from './live-config.ts';

export interface FollowerOptions {
  readonly nodeId: number;
  readonly config: LiveConfig;
  readonly partitions: Partitions;
  /** By the internal topic that keeps the state of each; elected in this order. */
  readonly coordinators: ReadonlyMap<string, Coordinator>;
  /** Replicas lie in other directories than the metadata says (KIP-858). */
  onMisplaced(assignments: readonly DirectoryAssignment[]): void;
}

/** Makes this broker follow the metadata: logs come and go, configurations change, coordinators are elected. */
export class MetadataFollower {
  private readonly options: FollowerOptions;
  private readonly elections: readonly CoordinatorElections[];

  constructor(options: FollowerOptions) {
    this.options = options;
    const { nodeId, coordinators } = options;
    this.elections = [...coordinators].map(
      ([topic, coordinator]) => new CoordinatorElections(nodeId, topic, coordinator),
    );
  }

  /** Takes over the whole image, at start. */
  async start(image: MetadataImage): Promise<void> {
    this.options.config.follow(image);
    this.openAll(image);
    await this.electCoordinators(image);
  }

  /** Opens the logs that are not open yet, and sets aside what is none of this node's replicas. */
  openAll(image: MetadataImage): void {
    for (const topic of image.topics()) this.assign(image, topic);
    this.options.partitions.setStraysAside();
  }

  /** Tries again to open the logs that could not be opened, now that the disk may have room. */
  retry(image: MetadataImage): void {
    for (const topic of image.topics()) {
      if (this.options.partitions.hasUnopened(topic)) this.assign(image, topic);
    }
  }

  /** Tells the controller where the replicas of these topics lie, if it does not know. */
  locate(topics: Iterable<TopicImage>): void {
    const misplaced = this.options.partitions.misplaced(topics);
    if (misplaced.length > 0) this.options.onMisplaced(misplaced);
  }

  /** Takes over what a commit changed. */
  async follow(image: MetadataImage, delta: MetadataDelta): Promise<void> {
    const { partitions, coordinators } = this.options;
    if (delta.changedConfigs.some((c) => c.type === ResourceType.BROKER)) {
      this.options.config.follow(image);
      for (const topic of image.topics()) partitions.configure(topic.name, this.topicConfig(image, topic.name));
    }
    for (const topic of delta.deletedTopics) partitions.remove(topic.id);
    const changed = [...delta.changedTopicIds].map((id) => image.topicById(id)).filter((topic) => topic !== undefined);
    for (const topic of changed) this.assign(image, topic);
    this.locate(changed);
    for (const { type, name } of delta.changedConfigs) {
      if (type === ResourceType.TOPIC) partitions.configure(name, this.topicConfig(image, name));
    }
    if (delta.deletedTopics.length > 0) {
      await Promise.all([...coordinators.values()].map((one) => one.onTopicsDeleted?.(delta.deletedTopics)));
    }
    await this.electCoordinators(image);
  }

  private assign(image: MetadataImage, topic: TopicImage): void {
    this.options.partitions.assign(topic, this.topicConfig(image, topic.name));
  }

  private topicConfig(image: MetadataImage, name: string) {
    return this.options.config.current().topic(image.configs(ResourceType.TOPIC, name));
  }

  /** This node coordinates what the partitions that it leads of the coordinators' topics keep. */
  private async electCoordinators(image: MetadataImage): Promise<void> {
    for (const one of this.elections) await one.follow(image);
  }
}
