import { ErrorCode } from '../../protocol/errors.ts';
import { toNumber } from '../../protocol/int64.ts';
import { FetchRequest, FetchResponse } from '../../protocol/messages/01-fetch.ts';
import type { InputOf, MessageOf } from '../../protocol/schema.ts';
import type { FetchPartition } from '../partition/fetch-session.ts';
import type { Partition } from '../partition/partition.ts';
import { type Resolved, resolveSession, TOPIC_IDS_SINCE } from './fetch-wanted.ts';
import { handler, type RequestContext } from './handler.ts';
import { checkLeaderEpoch, epochEnd, NO_LEADER_EPOCH } from './leader-epoch.ts';
import { missingPartition, missingPartitionOnceNamed } from './missing-partition.ts';
import { answerFor, enoughToAnswer } from './partition-failure.ts';

type Request = MessageOf<typeof FetchRequest>;
type Response = InputOf<typeof FetchResponse>;
type TopicResponse = NonNullable<Response['responses']>[number];
type PartitionResponse = NonNullable<TopicResponse['partitions']>[number];
type Records = NonNullable<PartitionResponse['records']>;

const READ_UNCOMMITTED = 0;
const READ_COMMITTED = 1;
/** Followers give their node's id, consumers less. */
const LOWEST_FOLLOWER = 0;
const REPLICA_STATE_SINCE = 15;
const NO_RECORDS = Buffer.alloc(0);
/** Errors of partitions that the metadata does not know, for which Kafka does not look at a log. */
const BEFORE_THE_LOG: ReadonlySet<number> = new Set([ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.UNKNOWN_TOPIC_ID]);

/** Fetch: answered at once when there is enough, else when enough has come or maxWaitMs is over. */
export const fetch = handler({
  request: FetchRequest,
  response: FetchResponse,
  versions: [4, 18],

  handle(context, request) {
    const resolved = resolveSession(context, request);
    if (typeof resolved === 'number') return { errorCode: resolved, sessionId: 0, responses: [] };
    if (!isIsolationLevel(request.isolationLevel)) return unanswerable(context, request, resolved);
    const fetching = new Fetching(context, request, resolved);
    const first = fetching.read();
    if (fetching.isComplete(first)) return fetching.response(first);
    return fetching.wait();
  },

  failed: (_request, errorCode) => ({ errorCode, sessionId: 0, responses: [] }),
});

const isIsolationLevel = (level: number): boolean => level === READ_UNCOMMITTED || level === READ_COMMITTED;

/** Where Kafka fails in the middle (FetchRequest.getErrorResponse): no session begins; before topic ids each partition has the error too. */
function unanswerable({ apiVersion, broker }: RequestContext, request: Request, resolved: Resolved): Response {
  const { sessionId, topics } = request;
  const errorCode = ErrorCode.UNKNOWN_SERVER_ERROR;
  if (resolved.session !== null && !resolved.incremental) broker.fetchSessions.remove(resolved.session.id);
  if (apiVersion >= TOPIC_IDS_SINCE) return { errorCode, sessionId, responses: [] };
  const responses = topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ partition }) => ({ ...refused(partition, errorCode), abortedTransactions: [] })),
  }));
  return { errorCode, sessionId, responses };
}

interface PartitionRead {
  readonly wanted: FetchPartition;
  readonly response: PartitionResponse;
}

interface Read {
  readonly partitions: PartitionRead[];
  readonly sizeBytes: number;
  /** Something that the client must hear of at once: an error or a diverging epoch. */
  readonly isUrgent: boolean;
}

/** One fetch from its first look at the logs to its response. */
class Fetching {
  private readonly context: RequestContext;
  private readonly request: Request;
  private readonly resolved: Resolved;
  private readonly wanted: readonly FetchPartition[];
  private readonly isFollower: boolean;
  private readonly maxBytes: number;
  private readonly minBytes: number;

  constructor(context: RequestContext, request: Request, resolved: Resolved) {
    this.context = context;
    this.request = request;
    this.resolved = resolved;
    this.wanted = resolved.wanted;
    const replicaId = context.apiVersion >= REPLICA_STATE_SINCE ? request.replicaState.replicaId : request.replicaId;
    this.isFollower = replicaId >= LOWEST_FOLLOWER;
    this.maxBytes = Math.min(request.maxBytes, context.broker.config().get('fetch.max.bytes'));
    this.minBytes = Math.min(request.minBytes, this.maxBytes);
  }

  read(): Read {
    const partitions: PartitionRead[] = [];
    let sizeBytes = 0;
    let isUrgent = false;
    let leftBytes = this.maxBytes;
    for (const wanted of this.wanted) {
      const response = this.readPartition(wanted, leftBytes, sizeBytes === 0);
      const readBytes = response.records?.length ?? 0;
      sizeBytes += readBytes;
      // a limit below 0 fails the first partition only, as in Kafka
      leftBytes = Math.max(0, leftBytes - readBytes);
      if (response.errorCode || response.divergingEpoch !== undefined) isUrgent = true;
      partitions.push({ wanted, response });
    }
    return { partitions, sizeBytes, isUrgent };
  }

  isComplete(read: Read): boolean {
    return this.request.maxWaitMs <= 0 || this.wanted.length === 0 || read.isUrgent || read.sizeBytes >= this.minBytes;
  }

  /** The long poll: woken by appends to any of the partitions. */
  async wait(): Promise<Response> {
    const partitions = this.wanted.map((w) => this.find(w)).filter((p) => p !== undefined);
    const isEnough = () => enoughToAnswer(() => this.hasEnough());
    const wait = this.context.broker.fetchWaits.start(partitions, this.request.maxWaitMs, isEnough);
    const { onGone } = this.context.connection;
    const gone = () => wait.finish();
    onGone.add(gone);
    await wait.done;
    onGone.delete(gone);
    return this.response(this.read());
  }

  /** What has come, by offsets and index only: the records are read once, at the end. */
  private hasEnough(): boolean {
    let sizeBytes = 0;
    for (const wanted of this.wanted) {
      const partition = this.find(wanted);
      if (partition === undefined || partition.isDeleted || partition.isOffline) return true;
      const upTo = this.visibleUpTo(partition);
      if (wanted.fetchOffset > partition.log.logEndOffset || wanted.fetchOffset < partition.logStartOffset) return true;
      sizeBytes += Math.min(partition.log.bytesBetween(wanted.fetchOffset, upTo), wanted.maxBytes);
      if (sizeBytes >= this.minBytes) return true;
    }
    return false;
  }

  response(read: Read): Response {
    const { session, incremental } = this.resolved;
    const responses: { topic: string; topicId: string; partitions: PartitionResponse[] }[] = [];
    for (const { wanted, response } of read.partitions) {
      const news = session?.hasNews(wanted, {
        errorCode: response.errorCode ?? 0,
        recordsBytes: response.records?.length ?? 0,
        highWatermark: toNumber(response.highWatermark ?? -1),
        logStartOffset: toNumber(response.logStartOffset ?? -1),
        isDiverging: response.divergingEpoch !== undefined,
      });
      if (incremental && !news) continue;
      const last = responses.at(-1);
      if (last !== undefined && last.topic === wanted.topic && last.topicId === wanted.topicId)
        last.partitions.push(response);
      else responses.push({ topic: wanted.topic, topicId: wanted.topicId, partitions: [response] });
    }
    return { errorCode: 0, sessionId: session?.id ?? 0, responses };
  }

  private find(wanted: FetchPartition): Partition | undefined {
    const { partitions } = this.context.broker;
    return this.context.apiVersion >= TOPIC_IDS_SINCE
      ? partitions.getById(wanted.topicId, wanted.partition)
      : partitions.get(wanted.topic, wanted.partition);
  }

  private visibleUpTo(partition: Partition): number {
    return this.request.isolationLevel === READ_COMMITTED ? partition.lastStableOffset : partition.highWatermark;
  }

  private readPartition(wanted: FetchPartition, leftBytes: number, isFirst: boolean): PartitionResponse {
    const partition = this.find(wanted);
    if (partition === undefined) return refused(wanted.partition, this.missing(wanted));
    const read = () => this.readLog(partition, wanted, leftBytes, isFirst);
    return answerFor(this.context.broker, partition, read, (errorCode) => refused(wanted.partition, errorCode));
  }

  /** Throws LogError or DiskError. */
  private readLog(
    partition: Partition,
    wanted: FetchPartition,
    leftBytes: number,
    isFirst: boolean,
  ): PartitionResponse {
    const refusal = this.refusalOf(partition, wanted);
    if (refusal !== 0) return refused(wanted.partition, refusal);
    const { highWatermark, lastStableOffset, logStartOffset } = partition;
    const stands = { partitionIndex: wanted.partition, errorCode: 0, highWatermark, lastStableOffset, logStartOffset };
    const divergingEpoch = divergence(partition, wanted);
    if (divergingEpoch !== null) return { ...stands, divergingEpoch, abortedTransactions: null, records: NO_RECORDS };
    if (isOutOfRange(partition, wanted)) return refused(wanted.partition, ErrorCode.OFFSET_OUT_OF_RANGE);
    const upTo = this.visibleUpTo(partition);
    // Kafka fails with an IllegalArgumentException here, where there is something to read (LogSegment.read)
    const isLimitWrong = Math.min(wanted.maxBytes, leftBytes) < 0 && wanted.fetchOffset < upTo;
    if (isLimitWrong) return refused(wanted.partition, ErrorCode.UNKNOWN_SERVER_ERROR);
    const { records, endOffset } = this.readRecords(partition, wanted, upTo, leftBytes, isFirst);
    const isCommittedOnly = this.request.isolationLevel === READ_COMMITTED;
    return { ...stands, abortedTransactions: isCommittedOnly ? aborted(partition, wanted, endOffset) : null, records };
  }

  /** Kafka's error for who asks and for the epochs that are named; 0 where there is none. */
  private refusalOf(partition: Partition, wanted: FetchPartition): number {
    // unlike other APIs, Fetch takes any number below 0 for none
    const epochError = checkLeaderEpoch(partition, Math.max(wanted.currentLeaderEpoch, NO_LEADER_EPOCH));
    if (epochError !== 0) return epochError;
    // a partition has one replica: no other broker follows it
    if (this.isFollower) return ErrorCode.NOT_LEADER_OR_FOLLOWER;
    const isUnknown = wanted.lastFetchedEpoch >= 0 && epochEnd(partition, wanted.lastFetchedEpoch).epoch < 0;
    return isUnknown ? ErrorCode.OFFSET_OUT_OF_RANGE : 0;
  }

  private readRecords(
    partition: Partition,
    wanted: FetchPartition,
    upTo: number,
    leftBytes: number,
    isFirst: boolean,
  ): { records: Records; endOffset: number } {
    const maxBytes = Math.min(wanted.maxBytes, leftBytes);
    if (wanted.fetchOffset >= upTo || (maxBytes <= 0 && !isFirst)) {
      return { records: NO_RECORDS, endOffset: wanted.fetchOffset };
    }
    return partition.log.slice(wanted.fetchOffset, maxBytes, { upTo, minOneBatch: isFirst });
  }

  private missing({ topic, topicId, partition }: FetchPartition): number {
    const { apiVersion, broker } = this.context;
    return apiVersion >= TOPIC_IDS_SINCE
      ? missingPartitionOnceNamed(broker, topicId, topic, partition)
      : missingPartition(broker, topic, partition);
  }
}

/** Those with records among what was read, so that a long list of others does not come with each fetch. */
function aborted(partition: Partition, { fetchOffset }: FetchPartition, endOffset: number) {
  return endOffset <= fetchOffset ? [] : partition.log.abortedTransactions(fetchOffset, endOffset);
}

function isOutOfRange({ log, logStartOffset }: Partition, { fetchOffset }: FetchPartition): boolean {
  return fetchOffset > log.logEndOffset || fetchOffset < logStartOffset;
}

/**
 * Where the client's log leaves that of the partition, by the epoch of the record before the one it asks for; null where it does not
 * (Partition.readRecords). The log knows the epoch.
 */
function divergence(partition: Partition, { fetchOffset, lastFetchedEpoch }: FetchPartition) {
  if (lastFetchedEpoch < 0 || fetchOffset < partition.logStartOffset) return null;
  const end = epochEnd(partition, lastFetchedEpoch);
  return end.epoch < lastFetchedEpoch || end.endOffset < fetchOffset ? end : null;
}

function refused(partitionIndex: number, errorCode: number): PartitionResponse {
  return {
    partitionIndex,
    errorCode,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    abortedTransactions: BEFORE_THE_LOG.has(errorCode) ? [] : null,
    // never null: librdkafka takes that for an invalid size
    records: NO_RECORDS,
  };
}
