import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import type { ShareFetchRequest, ShareFetchResponse } from '../../protocol/messages/78-share-fetch.ts';
import type { InputOf, MessageOf } from '../../protocol/schema.ts';
import { asKafkaError } from '../coordinator/errors.ts';
import type { Eventually } from '../coordinator/eventually.ts';
import type { AcquireMode } from '../share/partition/acquire.ts';
import type { SharePartition } from '../share/partition/share-partition.ts';
import type { SessionPartition } from '../share/share-sessions.ts';
import type { RequestContext } from './handler.ts';
import { missingPartitionById } from './missing-partition.ts';
import { answerFor, enoughToAnswer, errorCodeOf } from './partition-failure.ts';
import { exists } from './share-requests.ts';

type TopicResponse = NonNullable<InputOf<typeof ShareFetchResponse>['responses']>[number];
type PartitionResponse = NonNullable<TopicResponse['partitions']>[number];

/** What is answered for one partition. */
export interface Fetched {
  readonly topicId: string;
  readonly response: PartitionResponse;
}

/** How a request says in which way records are to be handed out (KIP-1206). */
const ACQUIRE_MODES: ReadonlyMap<number, AcquireMode> = new Map([
  [0, 'batch-optimized'],
  [1, 'record-limit'],
]);
export const NO_RECORDS = Buffer.alloc(0);

/** One of the partitions that are fetched: its share partition, or why there is none. */
interface Target {
  readonly topicId: string;
  readonly partition: number;
  share: SharePartition | null;
  errorCode: number;
  errorMessage: string | null;
}

/** One share fetch from its first look at the share partitions to what it brings. */
export class ShareFetching {
  private readonly context: RequestContext;
  private readonly request: MessageOf<typeof ShareFetchRequest>;
  private readonly groupId: string;
  private readonly memberId: string;
  private readonly targets: readonly Target[];
  private readonly maxBytes: number;
  private readonly minBytes: number;
  /** Undefined: one that there is not. */
  private readonly mode: AcquireMode | undefined;
  private isGone = false;
  /** A log could not be read: that is told at once. */
  private hasFailed = false;

  /** `wanted` in the order of the session; each request begins with another one of them. */
  constructor(
    context: RequestContext,
    request: MessageOf<typeof ShareFetchRequest>,
    member: { groupId: string; memberId: string },
    wanted: readonly SessionPartition[],
  ) {
    this.context = context;
    this.request = request;
    this.groupId = member.groupId;
    this.memberId = member.memberId;
    this.maxBytes = Math.min(request.maxBytes, context.broker.config().get('fetch.max.bytes'));
    this.minBytes = Math.min(request.minBytes, this.maxBytes);
    this.mode = ACQUIRE_MODES.get(request.shareAcquireMode);
    this.targets = rotated(wanted, request.shareSessionEpoch).map((one) => this.target(one));
  }

  /**
   * At once where there is enough, else when enough has come or maxWaitMs is over. Throws UNKNOWN_SERVER_ERROR for an acquire mode that
   * there is not, as Kafka does where there is something to fetch; the session has moved on by then.
   */
  run(): Eventually<Fetched[]> {
    const open = this.targets.filter(({ errorCode }) => errorCode === 0);
    if (open.length === 0) return this.refusals();
    if (this.mode === undefined) throw new KafkaError('UNKNOWN_SERVER_ERROR', 'an unknown share acquire mode');
    if (this.maxBytes <= 0 || this.request.maxRecords <= 0) return this.refusals();
    for (const target of open) this.load(target);
    if (this.isOver() || this.request.maxWaitMs <= 0 || this.hasEnough()) {
      const fetched = this.fetch();
      if (this.request.maxWaitMs <= 0 || this.isAnswer(fetched)) return fetched;
    }
    return this.wait();
  }

  private target({ topicId, partition, isKnown }: SessionPartition): Target {
    const target: Target = { topicId, partition, share: null, errorCode: 0, errorMessage: null };
    const { broker } = this.context;
    if (!isKnown) target.errorCode = ErrorCode.UNKNOWN_TOPIC_ID;
    else if (!exists(broker, topicId, partition)) target.errorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    if (target.errorCode !== 0) return target;
    const log = broker.partitions.getById(topicId, partition);
    if (log === undefined || log.isOffline) {
      target.errorCode =
        log === undefined ? missingPartitionById(broker, topicId, partition) : ErrorCode.KAFKA_STORAGE_ERROR;
    } else {
      target.share = broker.sharePartitions.of(this.groupId, log);
    }
    return target;
  }

  private load(target: Target): void {
    const failed = (error: unknown) => this.refuse(target, error);
    try {
      const loading = (target.share as SharePartition).load();
      if (loading instanceof Promise) loading.catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  /** The share partition cannot be loaded: the next request tries again. */
  private refuse(target: Target, error: unknown): void {
    target.errorCode = errorCodeOf(error);
    target.errorMessage = asKafkaError(error).message;
    if (target.share !== null) this.context.broker.sharePartitions.remove(target.share);
  }

  /** Every partition is refused: there is nothing to wait for. */
  private isOver(): boolean {
    return this.targets.every(({ errorCode }) => errorCode !== 0);
  }

  /** The long poll: woken by appends, by records that are available again, and by share partitions that have been loaded. */
  private async wait(): Promise<Fetched[]> {
    const { clock, fetchWaits } = this.context.broker;
    const deadlineMs = clock.monotonicMs() + this.request.maxWaitMs;
    const { onGone } = this.context.connection;
    while (true) {
      const leftMs = deadlineMs - clock.monotonicMs();
      const shares = this.targets.map(({ share }) => share).filter((share) => share !== null);
      const waitables = [...shares, ...shares.map(({ partition }) => partition)];
      const wait = fetchWaits.start(waitables, Math.max(0, leftMs), () => this.isOver() || this.hasEnough());
      const gone = () => {
        this.isGone = true;
        wait.finish();
      };
      onGone.add(gone);
      await wait.done;
      onGone.delete(gone);
      // nobody is there to take records: they would be locked in vain
      if (this.isGone) return [];
      const fetched = this.fetch();
      const isTimeUp = clock.monotonicMs() >= deadlineMs || fetchWaits.isStopped;
      // another one may have been faster
      if (isTimeUp || this.isAnswer(fetched)) return fetched;
    }
  }

  private isAnswer(fetched: readonly Fetched[]): boolean {
    return this.hasFailed || this.isOver() || fetched.some(({ response }) => (response.records?.length ?? 0) > 0);
  }

  private hasEnough(): boolean {
    return enoughToAnswer(() => this.holdsEnough());
  }

  private holdsEnough(): boolean {
    const open = this.acquirable();
    let sizeBytes = 0;
    for (const { share } of open) {
      const { partition } = share;
      if (partition.isDeleted || partition.isOffline) return true;
      sizeBytes += Math.min(share.availableBytes(), Math.floor(this.maxBytes / open.length));
    }
    return open.length > 0 && sizeBytes >= this.minBytes;
  }

  /** Share partitions that may have something for a member. */
  private acquirable(): (Target & { share: SharePartition })[] {
    const isOpen = (target: Target): target is Target & { share: SharePartition } =>
      target.errorCode === 0 && target.share !== null && target.share.canAcquire();
    return this.targets.filter(isOpen);
  }

  private fetch(): Fetched[] {
    const open = this.acquirable();
    const fetched: Fetched[] = [];
    let acquiredCount = 0;
    for (const target of open) {
      const response = this.fetchOne(target, Math.floor(this.maxBytes / open.length), acquiredCount);
      for (const { firstOffset, lastOffset } of response.acquiredRecords ?? []) {
        acquiredCount += Number(lastOffset) - Number(firstOffset) + 1;
      }
      fetched.push({ topicId: target.topicId, response });
    }
    return [...fetched, ...this.refusals()];
  }

  private fetchOne(
    { share, partition }: Target & { share: SharePartition },
    maxBytes: number,
    acquiredCount: number,
  ): PartitionResponse {
    const { isDeleted, isOffline } = share.partition;
    if (isDeleted || isOffline) {
      this.hasFailed = true;
      return refused(partition, isDeleted ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.KAFKA_STORAGE_ERROR, null);
    }
    const acquire = () => this.acquire(share, maxBytes, acquiredCount);
    return answerFor(this.context.broker, share.partition, acquire, (errorCode) => {
      this.hasFailed = true;
      return refused(partition, errorCode, null);
    });
  }

  /** Throws LogError or DiskError. */
  private acquire(share: SharePartition, maxBytes: number, acquiredCount: number): PartitionResponse {
    const { batchSize, maxRecords } = this.request;
    const { records, acquired } = share.fetch({
      memberId: this.memberId,
      mode: this.mode as AcquireMode,
      batchSize,
      maxRecords: maxRecords - acquiredCount,
      maxBytes,
      minOneBatch: acquiredCount === 0,
    });
    return { partitionIndex: share.partition.index, records, acquiredRecords: acquired };
  }

  private refusals(): Fetched[] {
    return this.targets
      .filter(({ errorCode }) => errorCode !== 0)
      .map(({ topicId, partition, errorCode, errorMessage }) => ({
        topicId,
        response: refused(partition, errorCode, errorMessage),
      }));
  }
}

function refused(partitionIndex: number, errorCode: number, errorMessage: string | null): PartitionResponse {
  return { partitionIndex, errorCode, errorMessage, records: NO_RECORDS, acquiredRecords: [] };
}

/** Begins with another partition in each request, so that none of them is always last. */
function rotated<T>(all: readonly T[], sessionEpoch: number): T[] {
  const at = sessionEpoch < 1 || all.length === 0 ? 0 : sessionEpoch % all.length;
  return [...all.slice(at), ...all.slice(0, at)];
}
