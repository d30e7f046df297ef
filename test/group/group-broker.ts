/** A broker with nothing but group coordination, reached as a client reaches it: through the handlers and the codecs. */
import { codec } from '../../protocol/compile.ts';
import { Reader } from '../../protocol/reader.ts';
import type { InputOf, Message, MessageOf } from '../../protocol/schema.ts';
import { Writer } from '../../protocol/writer.ts';
import type { Broker } from '../../src/api/broker.ts';
import type { Handler, RequestContext } from '../../src/api/handler.ts';
import type { BrokerConfig } from '../../src/config/broker-config.ts';
import { MetadataImage, ResourceType, resourceKey, type TopicImage } from '../../src/controller/image.ts';
import { GroupCoordinator } from '../../src/group/group-coordinator.ts';
import { brokerConfig } from '../config/samples.ts';
import { CollectingLogger } from '../support/loggers.ts';
import { MemoryCoordinatorLog } from '../support/memory-coordinator-log.ts';
import { MemoryPersister } from '../support/memory-persister.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

export const NODE_ID = 1;
const OFFSETS_TOPIC = '__consumer_offsets';

export type Topic = TopicImage;

/** A topic whose id follows from its name. */
export function topic(name: string, partitionCount: number, generation = 0): Topic {
  const id = Buffer.from(`${name}-${generation}`.padEnd(16, '.').slice(0, 16)).toString('base64url');
  return { name, id, partitions: new Array(partitionCount).fill(PARTITION) };
}

const PARTITION = {
  leader: NODE_ID,
  leaderRecoveryState: 0,
  leaderEpoch: 0,
  partitionEpoch: 0,
  replicas: [NODE_ID],
  isr: [NODE_ID],
  removingReplicas: [],
  addingReplicas: [],
  elr: [],
  lastKnownElr: [],
  directories: [],
};

export interface GroupBrokerOptions {
  readonly config?: Readonly<Record<string, string>>;
  readonly topics?: readonly Topic[];
  readonly partitionCount?: number;
  readonly seed?: number;
  /** Without: the offsets topic is not there until somebody looks for a coordinator. */
  readonly elected?: boolean;
  readonly log?: MemoryCoordinatorLog;
  readonly clock?: VirtualClock;
  readonly persister?: MemoryPersister;
}

export class GroupBroker {
  readonly clock: VirtualClock;
  readonly log: MemoryCoordinatorLog;
  readonly logger = new CollectingLogger();
  readonly topics = new Map<string, Topic>();
  /** Configurations of groups, by their resource key. */
  readonly configs = new Map<string, ReadonlyMap<string, string>>();
  readonly persister: MemoryPersister;
  readonly features = new Map([
    ['group.version', 1],
    ['share.version', 1],
    ['streams.version', 1],
  ]);
  /** The end of every partition, or why it is not known. */
  endOffset = 0;
  endErrorCode = 0;
  readonly groups: GroupCoordinator;
  readonly partitionCount: number;
  /** The topics whose creation was asked for. */
  readonly ensured: string[] = [];
  clientId: string | null = 'client';
  private readonly broker: Broker;
  /** The features and configurations, and the topics, in the latest image. */
  private told = '';
  private shown: readonly Topic[] = [];
  private latest = MetadataImage.EMPTY;

  constructor(options: GroupBrokerOptions = {}) {
    this.clock = options.clock ?? new VirtualClock();
    this.log = options.log ?? new MemoryCoordinatorLog();
    this.persister = options.persister ?? new MemoryPersister();
    this.partitionCount = options.partitionCount ?? 5;
    for (const one of options.topics ?? [topic('t', 4), topic('u', 2)]) this.topics.set(one.name, one);
    const config = brokerConfig({ ...DEVELOPMENT, ...options.config });
    const random = new SeededRandom(options.seed ?? 1);
    this.groups = new GroupCoordinator({
      log: this.log,
      clock: this.clock,
      logger: this.logger,
      random,
      config: () => config,
      image: () => this.image(),
      partitionCount: () => this.partitionCount,
      share: { persister: this.persister, endOffset: () => ({ errorCode: this.endErrorCode, offset: this.endOffset }) },
    });
    this.broker = this.services(config, random);
    if (options.elected !== false) this.elect();
  }

  private services(config: BrokerConfig, random: SeededRandom): Broker {
    const controller = {
      ensureTopics: async (names: readonly string[]) => {
        this.ensured.push(...names);
        this.elect();
        return new Map(names.map((name) => [name, 0]));
      },
      createTopics: async ({ topics }: { topics: readonly { name: string; numPartitions: number }[] }) => {
        for (const { name, numPartitions } of topics) this.topics.set(name, topic(name, numPartitions));
        return { topics: topics.map(({ name }) => ({ name, errorCode: 0 })) };
      },
    };
    const { groups, clock, logger } = this;
    const endpoints = () => [{ nodeId: NODE_ID, host: 'localhost', port: 9092, rack: null }];
    const services = { nodeId: NODE_ID, clock, random, logger, groups, controller, endpoints };
    return { ...services, config: () => config, image: () => this.image() } as unknown as Broker;
  }

  private image(): MetadataImage {
    const topics = [...this.topics.values()];
    const isSame = topics.length === this.shown.length && topics.every((one, i) => one === this.shown[i]);
    const told = JSON.stringify([[...this.features], [...this.configs].map(([key, values]) => [key, [...values]])]);
    if (isSame && told === this.told) return this.latest;
    const offset = this.latest.offset + 1;
    const topicsByName = new Map(topics.map((one) => [one.name, one]));
    const topicsById = new Map(topics.map((one) => [one.id, one]));
    const [features, configs] = [new Map(this.features), new Map(this.configs)];
    const fields = { ...MetadataImage.EMPTY.fields, topicsByName, topicsById, features, configs, offset };
    this.shown = topics;
    this.told = told;
    this.latest = new MetadataImage(fields);
    return this.latest;
  }

  /** Gives a group a configuration of its own. */
  configure(groupId: string, overrides: Readonly<Record<string, string>>): void {
    this.configs.set(resourceKey(ResourceType.GROUP, groupId), new Map(Object.entries(overrides)));
  }

  /** Makes this broker the coordinator of every partition. */
  elect(epoch = 0): void {
    this.topics.set(OFFSETS_TOPIC, topic(OFFSETS_TOPIC, this.partitionCount));
    for (let partition = 0; partition < this.partitionCount; partition++) this.groups.onElected(partition, epoch);
  }

  /** Sends a request in a version and gives the response, both by way of their bytes. */
  async call<Req extends Message, Res extends Message>(
    handler: Handler<Req, Res>,
    version: number,
    request: InputOf<Req>,
  ): Promise<MessageOf<Res>> {
    const context: RequestContext = {
      broker: this.broker,
      apiVersion: version,
      clientId: this.clientId,
      connection: {
        id: '1',
        clientHost: '127.0.0.1',
        listenerName: 'PLAINTEXT',
        principal: 'User:ANONYMOUS',
        clientSoftware: null,
        onGone: new Set(),
      },
    };
    const response = await handler.handle(context, throughBytes(handler.request, version, request));
    if (response === null) throw new Error('no response');
    return throughBytes(handler.response, version, response);
  }
}

const DEVELOPMENT = { 'group.initial.rebalance.delay.ms': '0', 'offsets.topic.num.partitions': '5' };

function throughBytes<M extends Message>(message: M, version: number, value: InputOf<M>): MessageOf<M> {
  const writer = new Writer();
  codec(message, version).write(writer, value);
  return codec(message, version).read(new Reader(writer.toBuffer())) as MessageOf<M>;
}
