import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import type { CreateTopicsRequest } from '../../protocol/messages/19-create-topics.ts';
import type { DeleteTopicsRequest } from '../../protocol/messages/20-delete-topics.ts';
import type { AlterConfigsRequest } from '../../protocol/messages/33-alter-configs.ts';
import type { CreatePartitionsRequest } from '../../protocol/messages/37-create-partitions.ts';
import type { ElectLeadersRequest } from '../../protocol/messages/43-elect-leaders.ts';
import type { IncrementalAlterConfigsRequest } from '../../protocol/messages/44-incremental-alter-configs.ts';
import type { AlterPartitionReassignmentsRequest } from '../../protocol/messages/45-alter-partition-reassignments.ts';
import type { AlterClientQuotasRequest } from '../../protocol/messages/49-alter-client-quotas.ts';
import type { AlterUserScramCredentialsRequest } from '../../protocol/messages/51-alter-user-scram-credentials.ts';
import type { UpdateFeaturesRequest } from '../../protocol/messages/57-update-features.ts';
import type { UnregisterBrokerRequest } from '../../protocol/messages/64-unregister-broker.ts';
import { ProducerIdsRecord } from '../../protocol/metadata/index.ts';
import type { MessageOf } from '../../protocol/schema.ts';
import { MAX_BATCH_RECORDS, MetadataLog } from '../raft/driver.ts';
import { activationRecords, formatted } from './bootstrap.ts';
import {
  planControlledShutdown,
  planDirectoriesOnline,
  planFenceBroker,
  planRegisterBroker,
  planRegisterController,
  planUnfenceBroker,
  planUnregisterBroker,
} from './cluster-control.ts';
import { planAlterConfigs, planIncrementalAlterConfigs } from './config-control.ts';
import type {
  BrokerRegistration,
  Controller,
  ControllerOptions,
  ImageListener,
  ProducerIdBlock,
  QuorumDescription,
} from './controller.ts';
import { type DirectoryAssignment, planAssignDirectories, planDirectoriesOffline } from './directory-control.ts';
import { planUpdateFeatures } from './feature-control.ts';
import type { MetadataDelta, MetadataImage } from './image.ts';
import { imageRecords } from './image-records.ts';
import { internalTopic } from './internal-topics.ts';
import { MetadataLoader } from './loader.ts';
import { initialKraftVersion, localVoter } from './local-voter.ts';
import { planCreatePartitions, planElectLeaders } from './partition-control.ts';
import type { Plan, PlanContext } from './plan.ts';
import { planAlterClientQuotas } from './quota-control.ts';
import { planAlterPartitionReassignments } from './reassignment-control.ts';
import { decodeRecord, encodeRecord, type MetadataRecord, record } from './records.ts';
import { Replay } from './replay.ts';
import { planAlterUserScramCredentials } from './scram-control.ts';
import { SnapshotSchedule } from './snapshot-schedule.ts';
import { planCreateTopics, planDeleteTopics } from './topic-control.ts';

const PRODUCER_ID_BLOCK = 1000;

/**
 * The controller of a quorum of one. A change is planned against `tip`, the image with everything appended, and answered
 * when its records are committed and every listener has seen the image that they make.
 */
export class KraftController implements Controller {
  private readonly options: ControllerOptions;
  private readonly log: MetadataLog;
  /** With every appended record. */
  private tip: MetadataImage;
  /** With every committed and published record. */
  private published: MetadataImage;
  private readonly listeners = new Set<ImageListener>();
  /** Publishing goes in the order of the log. */
  private publishing: Promise<void> = Promise.resolve();
  private readonly schedule: SnapshotSchedule;
  private writingSnapshot = false;

  private constructor(options: ControllerOptions, log: MetadataLog, image: MetadataImage) {
    this.options = options;
    this.log = log;
    this.tip = image;
    this.published = image;
    this.schedule = new SnapshotSchedule(options.clock.monotonicMs());
  }

  /** Replays the log; a new one gets the records that its cluster begins with. */
  static async open(options: ControllerOptions): Promise<KraftController> {
    const { disk, dir, nodeId, directoryId, clock, logger } = options;
    const config = options.config();
    const loader = new MetadataLoader();
    const segments = {
      segmentBytes: config.get('internal.metadata.log.segment.bytes') ?? config.get('metadata.log.segment.bytes'),
      segmentMs: config.get('metadata.log.segment.ms'),
    };
    const quorum = {
      local: localVoter(nodeId, directoryId, config),
      initialKraftVersion: initialKraftVersion(config, disk, dir),
    };
    const log = await MetadataLog.open({ disk, dir, clock, logger, ...quorum, ...segments }, loader);
    const loaded = loader.finish();
    const controller = new KraftController(options, log, loaded.image);
    const begin = () => formatted(disk, dir, clock.nowMs());
    const records = activationRecords(loaded, begin, config.get('min.insync.replicas'));
    await controller.submit(() => only(records));
    return controller;
  }

  get image(): MetadataImage {
    return this.published;
  }

  subscribe(listener: ImageListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  quorum(): QuorumDescription {
    return {
      leaderId: this.options.nodeId,
      leaderEpoch: this.log.leaderEpoch,
      logEndOffset: this.log.endOffset,
      highWatermark: this.log.highWatermark,
      ...this.log.quorum,
    };
  }

  private context(): PlanContext {
    const { nodeId, random } = this.options;
    const { kraftVersion } = this.log.quorum;
    return { image: this.tip, nodeId, kraftVersion, config: this.options.config(), random };
  }

  /** Plans, appends, waits for the commit and for the listeners, and gives the response. Longer plans go in several batches. */
  async submit<R>(plan: (context: PlanContext) => Plan<R>): Promise<R> {
    const { records, response } = plan(this.context());
    for (let at = 0; at < records.length; at += MAX_BATCH_RECORDS) {
      await this.write(records.slice(at, at + MAX_BATCH_RECORDS));
    }
    // a response may tell of what an earlier, still unpublished change did
    if (records.length === 0) await this.publishing;
    return response;
  }

  private write(records: readonly MetadataRecord[]): Promise<void> {
    const values = records.map(encodeRecord);
    const { lastOffset: offset, leaderEpoch, timestampMs, sizeBytes } = this.log.append(values);
    const replay = new Replay(this.tip);
    // replay sees what a reader of the log will see: fields that a plan left out as their defaults
    for (const value of values) replay.apply(decodeRecord(value));
    const { image, delta } = replay.finish({ offset, leaderEpoch, timestampMs });
    this.tip = image;
    this.schedule.appended(sizeBytes);
    const committed = this.log.committed(offset);
    const inOrder = this.publishing.then(() => committed);
    const published = inOrder.then(() => this.publish(image, delta));
    // a listener that fails fails this change only; a log that fails fails all that come after
    this.publishing = inOrder.then(() => published.catch(() => {}));
    return published;
  }

  private async publish(image: MetadataImage, delta: MetadataDelta): Promise<void> {
    this.published = image;
    for (const listener of this.listeners) await listener(image, delta);
    this.snapshotIfDue();
  }

  /** Begins a snapshot of what is published, where the limits ask for one and none is being written. */
  private snapshotIfDue(): void {
    const { clock, config, logger } = this.options;
    const nowMs = clock.monotonicMs();
    const maxBytes = config().get('metadata.log.max.record.bytes.between.snapshots');
    const maxIntervalMs = config().get('metadata.log.max.snapshot.interval.ms');
    if (this.writingSnapshot || !this.schedule.isDue(nowMs, { maxBytes, maxIntervalMs })) return;
    this.writingSnapshot = true;
    this.schedule.begun(nowMs);
    this.writeSnapshot(this.published)
      .catch((err) => logger.error({ err }, 'writing a snapshot of the metadata failed'))
      .finally(() => {
        this.writingSnapshot = false;
      });
  }

  private async writeSnapshot(image: MetadataImage): Promise<void> {
    const { offset, leaderEpoch, timestampMs } = image.fields;
    const endOffset = offset + 1;
    if (endOffset === this.log.lastSnapshotEnd) return;
    const isWhole = await this.log.createSnapshot(
      { endOffset, leaderEpoch },
      timestampMs,
      encoded(imageRecords(image)),
    );
    if (isWhole) this.options.logger.info({ endOffset, leaderEpoch }, 'snapshot of the metadata written');
  }

  /** What comes round once in a while: a snapshot that time asks for, and the old ones that may go. */
  async maintain(): Promise<void> {
    this.snapshotIfDue();
    const config = this.options.config();
    const retentionBytes = config.get('metadata.max.retention.bytes');
    await this.log.clean({ retentionBytes, retentionMs: config.get('metadata.max.retention.ms') });
  }

  async registerBroker(broker: BrokerRegistration): Promise<void> {
    const incarnationId = this.options.random.uuid();
    // one that ended without a goodbye is still said to lead
    await this.submit((context) => only(planFenceBroker(context)));
    await Promise.all([
      this.submit((context) => only(planRegisterController(context, incarnationId))),
      this.submit((context) => only(planRegisterBroker(context, broker, this.log.endOffset))),
    ]);
    await this.submit((context) => only(planUnfenceBroker(context)));
  }

  async fenceBroker(): Promise<void> {
    await this.submit((context) => only(planControlledShutdown(context)));
    await this.submit((context) => only(planFenceBroker(context)));
  }

  assignDirectories(assignments: readonly DirectoryAssignment[]): Promise<void> {
    return this.submit((context) => only(planAssignDirectories(context, assignments)));
  }
  directoriesOffline(directoryIds: readonly string[]): Promise<void> {
    return this.submit((context) => only(planDirectoriesOffline(context, directoryIds)));
  }
  directoriesOnline(directoryIds: readonly string[]): Promise<void> {
    return this.submit((context) => only(planDirectoriesOnline(context, directoryIds)));
  }

  createTopics(request: MessageOf<typeof CreateTopicsRequest>) {
    return this.submit((context) => planCreateTopics(context, request));
  }
  deleteTopics(request: MessageOf<typeof DeleteTopicsRequest>) {
    return this.submit((context) => planDeleteTopics(context, request));
  }

  createPartitions(request: MessageOf<typeof CreatePartitionsRequest>) {
    return this.submit((context) => planCreatePartitions(context, request));
  }
  alterConfigs(request: MessageOf<typeof AlterConfigsRequest>) {
    return this.submit((context) => planAlterConfigs(context, request));
  }
  incrementalAlterConfigs(request: MessageOf<typeof IncrementalAlterConfigsRequest>) {
    return this.submit((context) => planIncrementalAlterConfigs(context, request));
  }
  updateFeatures(request: MessageOf<typeof UpdateFeaturesRequest>) {
    return this.submit((context) => {
      const plan = planUpdateFeatures(context, request);
      // the records of the plan come behind it in the log, and are committed with it
      if (plan.kraftVersion !== null) this.log.upgrade(plan.kraftVersion);
      return plan;
    });
  }
  alterClientQuotas(request: MessageOf<typeof AlterClientQuotasRequest>) {
    return this.submit((context) => planAlterClientQuotas(context, request));
  }
  alterUserScramCredentials(request: MessageOf<typeof AlterUserScramCredentialsRequest>) {
    return this.submit((context) => planAlterUserScramCredentials(context, request));
  }
  electLeaders(request: MessageOf<typeof ElectLeadersRequest>) {
    return this.submit((context) => planElectLeaders(context, request));
  }
  alterPartitionReassignments(request: MessageOf<typeof AlterPartitionReassignmentsRequest>) {
    return this.submit((context) => planAlterPartitionReassignments(context, request));
  }

  unregisterBroker(request: MessageOf<typeof UnregisterBrokerRequest>) {
    return this.submit((context) => planUnregisterBroker(context, request));
  }

  async ensureTopics(names: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const missing = names.filter((name) => this.tip.topic(name) === undefined);
    const topics = missing.map((name) => internalTopic(name, this.context()) ?? plainTopic(name));
    const response = await this.createTopics({ topics, timeoutMs: 0, validateOnly: false });
    const codes = new Map<string, number>(names.map((name) => [name, ErrorCode.NONE]));
    for (const { name, errorCode } of response.topics ?? []) codes.set(name ?? '', errorCode ?? ErrorCode.NONE);
    return codes;
  }

  allocateProducerIds(): Promise<ProducerIdBlock> {
    return this.submit(({ image, nodeId }) => {
      const firstProducerId = image.fields.nextProducerId;
      const nextProducerId = firstProducerId + PRODUCER_ID_BLOCK;
      const brokerEpoch = image.broker(nodeId)?.epoch;
      if (brokerEpoch === undefined) throw new KafkaError('BROKER_ID_NOT_REGISTERED');
      const records = [record(ProducerIdsRecord, { brokerId: nodeId, brokerEpoch, nextProducerId })];
      return { records, response: { firstProducerId, size: PRODUCER_ID_BLOCK } };
    });
  }

  async close(): Promise<void> {
    await this.publishing;
    await this.log.close();
  }
}

const plainTopic = (name: string) => ({ name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] });

/** A plan that nobody waits for an answer of. */
const only = (records: readonly MetadataRecord[]): Plan<undefined> => ({ records, response: undefined });

function* encoded(records: Iterable<MetadataRecord>): Generator<Buffer> {
  for (const r of records) yield encodeRecord(r);
}
