/** A broker with nothing but share groups, reached as a client reaches it: through the handlers and the codecs. */
import { codec } from '../../protocol/compile.ts';
import { Reader } from '../../protocol/reader.ts';
import * as batch from '../../protocol/records/batch.ts';
import type { InputOf, Message, MessageOf } from '../../protocol/schema.ts';
import { Writer } from '../../protocol/writer.ts';
import { shareFetch } from '../../src/api/78-share-fetch.ts';
import { shareAcknowledge } from '../../src/api/79-share-acknowledge.ts';
import type { Broker } from '../../src/api/broker.ts';
import type { Handler, RequestContext } from '../../src/api/handler.ts';
import { groupConfig } from '../../src/config/group-config.ts';
import { topicConfigOf } from '../../src/config/topic-config.ts';
import { FetchWaits } from '../../src/partition/fetch-wait.ts';
import { Partition } from '../../src/partition/partition.ts';
import { LocalPersister } from '../../src/share/coordinator/local-persister.ts';
import { ShareCoordinator } from '../../src/share/coordinator/share-coordinator.ts';
import { SharePartitions } from '../../src/share/share-partitions.ts';
import { ShareSessions } from '../../src/share/share-sessions.ts';
import { brokerConfig } from '../config/samples.ts';
import { newLog } from '../storage/batches.ts';
import { CollectingLogger } from '../support/loggers.ts';
import { MemoryCoordinatorLog } from '../support/memory-coordinator-log.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const NODE_ID = 1;
const TOPIC_ID = 'topictopictopictopictA';
const TOPIC = { name: 't', id: TOPIC_ID, partitions: [{ leader: NODE_ID, leaderEpoch: 0, replicas: [NODE_ID] }] };
export const GROUP_ID = 'g';

type Acknowledgement = [firstOffset: number, lastOffset: number, ...types: number[]];

export class ShareBroker {
  readonly clock = new VirtualClock();
  readonly log = new MemoryCoordinatorLog();
  readonly logger = new CollectingLogger();
  readonly partition: Partition;
  /** Anew after `kill`. */
  coordinator: ShareCoordinator;
  sessions: ShareSessions;
  /** What the group overrides. */
  readonly overrides = new Map<string, string>();
  /** Anew after `restart` and `kill`. */
  partitions: SharePartitions;
  waits: FetchWaits;
  private readonly maxSessions: number;
  private epoch = 0;
  private readonly config = brokerConfig();
  private readonly image = {
    features: new Map([['share.version', 1]]),
    topicById: (id: string) => (id === TOPIC_ID ? TOPIC : undefined),
    configs: (_type: number, name: string) => (name === GROUP_ID ? this.overrides : new Map<string, string>()),
  };

  constructor({ maxSessions = 10 } = {}) {
    const { clock, config } = this;
    this.maxSessions = maxSessions;
    this.partition = new Partition({
      topic: TOPIC.name,
      topicId: TOPIC_ID,
      index: 0,
      log: newLog(),
      config: topicConfigOf(config.topicDefaults()),
      state: { leader: NODE_ID, leaderEpoch: 0, replicas: [NODE_ID], isr: [NODE_ID], directories: [] },
    });
    this.coordinator = this.newCoordinator();
    this.sessions = new ShareSessions(() => maxSessions);
    this.waits = new FetchWaits(clock);
    this.partitions = this.newPartitions();
  }

  /** What is known of share partitions is lost, save for what has been written. */
  restart(): void {
    this.partitions.close();
    this.partitions = this.newPartitions();
  }

  /** The process dies, with all that it has not written, and another one takes over. */
  kill(): void {
    this.log.fail();
    this.partitions.close();
    this.coordinator.close();
    this.waits.stop();
    this.coordinator = this.newCoordinator();
    this.sessions = new ShareSessions(() => this.maxSessions);
    this.waits = new FetchWaits(this.clock);
    this.partitions = this.newPartitions();
  }

  private newCoordinator(): ShareCoordinator {
    const { clock, log, logger, config } = this;
    const coordinator = new ShareCoordinator({
      log,
      clock,
      logger,
      config: () => config,
      partitionCount: () => 1,
      partitionCountOf: (id) => (id === TOPIC_ID ? 1 : null),
      prune: () => undefined,
    });
    coordinator.onElected(0, this.epoch++);
    return coordinator;
  }

  async begin(startOffset = 0, stateEpoch = 0): Promise<void> {
    await this.coordinator.initialize(GROUP_ID, [{ topicId: TOPIC_ID, partition: 0, stateEpoch, startOffset }]);
  }

  get share() {
    return this.partitions.of(GROUP_ID, this.partition);
  }

  async summary() {
    const [result] = await this.coordinator.readSummary(GROUP_ID, [{ topicId: TOPIC_ID, partition: 0 }]);
    return [result.startOffset, result.deliveryCompleteCount];
  }

  member(memberId: string): Member {
    return new Member(this, memberId);
  }

  private newPartitions(): SharePartitions {
    const { clock, logger, sessions, coordinator } = this;
    return new SharePartitions({
      persister: new LocalPersister({ coordinator, ensureStateTopic: () => undefined }),
      sessions,
      clock,
      logger,
      groupConfig: (groupId) => groupConfig(this.image, this.config, groupId),
    });
  }

  services(): Broker {
    const {
      clock,
      logger,
      sessions: shareSessions,
      partitions: sharePartitions,
      waits: fetchWaits,
      image,
      config,
    } = this;
    const partitions = {
      getById: (id: string, index: number) => (id === TOPIC_ID && index === 0 ? this.partition : undefined),
    };
    const services = { nodeId: NODE_ID, clock, logger, shareSessions, sharePartitions, fetchWaits, partitions };
    return {
      ...services,
      endpoints: () => [],
      config: () => config,
      groupConfig: (groupId: string) => groupConfig(image, config, groupId),
      image: () => image,
    } as unknown as Broker;
  }
}

/** A member on a connection of its own. */
export class Member {
  private readonly broker: ShareBroker;
  readonly memberId: string;
  private readonly onGone = new Set<() => void>();
  private epoch = 0;

  constructor(broker: ShareBroker, memberId: string) {
    this.broker = broker;
    this.memberId = memberId;
  }

  async fetch(options: Partial<InputOf<typeof shareFetch.request>> = {}, acknowledgements: Acknowledgement[] = []) {
    const acknowledgementBatches = acknowledgements.map(batchOf);
    const response = await this.call(shareFetch, {
      groupId: GROUP_ID,
      memberId: this.memberId,
      shareSessionEpoch: this.epoch++,
      maxWaitMs: 0,
      minBytes: 1,
      maxRecords: 500,
      batchSize: 500,
      topics: [{ topicId: TOPIC_ID, partitions: [{ partitionIndex: 0, acknowledgementBatches }] }],
      forgottenTopicsData: [],
      ...options,
    });
    const [partition] = response.responses.flatMap(({ partitions }) => partitions);
    const acquired = (partition?.acquiredRecords ?? []).map((one) => [
      Number(one.firstOffset),
      Number(one.lastOffset),
      one.deliveryCount,
    ]);
    return {
      response,
      errorCode: response.errorCode,
      partition,
      acquired,
      batches: offsetsOf(partition?.records as Buffer),
    };
  }

  /** The error of the one partition. */
  async acknowledge(...acknowledgements: Acknowledgement[]): Promise<number> {
    return this.acknowledgeWith({}, ...acknowledgements);
  }

  async renew(...acknowledgements: Acknowledgement[]): Promise<number> {
    return this.acknowledgeWith({ isRenewAck: true }, ...acknowledgements);
  }

  /** The last request of the session. */
  async leave(): Promise<void> {
    await this.acknowledgeWith({ shareSessionEpoch: -1 });
  }

  private async acknowledgeWith(options: object, ...acknowledgements: Acknowledgement[]): Promise<number> {
    const partitions = [{ partitionIndex: 0, acknowledgementBatches: acknowledgements.map(batchOf) }];
    const response = await this.call(shareAcknowledge, {
      groupId: GROUP_ID,
      memberId: this.memberId,
      shareSessionEpoch: this.epoch++,
      isRenewAck: false,
      topics: acknowledgements.length === 0 ? [] : [{ topicId: TOPIC_ID, partitions }],
      ...options,
    });
    return response.responses[0]?.partitions[0]?.errorCode ?? response.errorCode;
  }

  /** The connection is gone. */
  disconnect(): void {
    for (const task of [...this.onGone]) task();
    this.onGone.clear();
  }

  private async call<Req extends Message, Res extends Message>(
    handler: Handler<Req, Res>,
    request: InputOf<Req>,
  ): Promise<MessageOf<Res>> {
    const context: RequestContext = {
      broker: this.broker.services(),
      apiVersion: 2,
      clientId: 'client',
      connection: {
        id: this.memberId,
        clientHost: '127.0.0.1',
        listenerName: 'PLAINTEXT',
        principal: 'User:ANONYMOUS',
        clientSoftware: null,
        onGone: this.onGone,
      },
    };
    const response = await handler.handle(context, throughBytes(handler.request, request));
    if (response === null) throw new Error('no response');
    return throughBytes(handler.response, response);
  }
}

const batchOf = ([firstOffset, lastOffset, ...acknowledgeTypes]: Acknowledgement) => ({
  firstOffset,
  lastOffset,
  acknowledgeTypes,
});

function throughBytes<M extends Message>(message: M, value: InputOf<M>): MessageOf<M> {
  const writer = new Writer();
  codec(message, 2).write(writer, value);
  return codec(message, 2).read(new Reader(writer.toBuffer())) as MessageOf<M>;
}

function offsetsOf(records: Buffer | undefined): [number, number][] {
  const offsets: [number, number][] = [];
  for (let at = 0; at < (records?.length ?? 0); at += batch.sizeBytes(records as Buffer, at)) {
    offsets.push([batch.baseOffset(records as Buffer, at), batch.lastOffset(records as Buffer, at)]);
  }
  return offsets;
}
