import { ErrorCode } from '../../protocol/errors.ts';
import { toNumber } from '../../protocol/int64.ts';
import { FetchRequest, FetchResponse } from '../../protocol/messages/01-fetch.ts';
import type { InputOf, MessageOf } from '../../protocol/schema.ts';
import type { FetchPartition, FetchSession } from '../partition/fetch-session.ts';
import type { Partition } from '../partition/partition.ts';
import { handler, type RequestContext } from './handler.ts';
import { checkLeaderEpoch } from './leader-epoch.ts';
import { missingPartition, missingPartitionById } from './missing-partition.ts';
import { answerFor, enoughToAnswer } from './partition-failure.ts';

type Request = MessageOf<typeof FetchRequest>;
type Response = InputOf<typeof FetchResponse>;
type TopicResponse = NonNullable<Response['responses']>[number];
type PartitionResponse = NonNullable<TopicResponse['partitions']>[number];
type Records = NonNullable<PartitionResponse['records']>;

const TOPIC_IDS_SINCE = 13;
const READ_COMMITTED = 1;
/** Session epochs with a meaning (KIP-227): 0 asks for a new session, -1 for none. */
const INITIAL_EPOCH = 0;
const FINAL_EPOCH = -1;
const NO_RECORDS = Buffer.alloc(0);

/** Fetch: answered at once when there is enough, else when enough has come or maxWaitMs is over. */
export const fetch = handler({
  request: FetchRequest,
  response: FetchResponse,
  versions: [4, 18],

  handle(context, request) {
    const resolved = resolveSession(context, request);
    if (typeof resolved === 'number') return { errorCode: resolved, sessionId: 0, responses: [] };
    const fetching = new Fetching(context, request, resolved);
    const first = fetching.read();
    if (fetching.isComplete(first)) return fetching.response(first);
    return fetching.wait();
  },

  failed: (_request, errorCode) => ({ errorCode, sessionId: 0, responses: [] }),
});

/** What this fetch is about: the partitions in order, and the session that remembers them, if any. */
interface Resolved {
  readonly wanted: Iterable<FetchPartition>;
  readonly session: FetchSession | null;
  /** True where the response leaves out partitions without news. */
  readonly incremental: boolean;
}

/** Kafka's error code where the session is not what the client thinks (KIP-227). */
function resolveSession(context: RequestContext, request: Request): Resolved | number {
  const { fetchSessions, clock } = context.broker;
  const { sessionId, sessionEpoch } = request;
  const usesTopicIds = context.apiVersion >= TOPIC_IDS_SINCE;
  const wanted = wantedPartitions(request);
  const nowMs = clock.monotonicMs();
  if (sessionEpoch === FINAL_EPOCH || sessionEpoch === INITIAL_EPOCH) {
    if (sessionId !== 0) fetchSessions.remove(sessionId);
    if (sessionEpoch === FINAL_EPOCH || wanted.length === 0) return { wanted, session: null, incremental: false };
    const session = fetchSessions.create(usesTopicIds, nowMs);
    session?.update(wanted, []);
    return { wanted: session === null ? wanted : [...session.all()], session, incremental: false };
  }
  const session = fetchSessions.get(sessionId);
  if (session === undefined) return ErrorCode.FETCH_SESSION_ID_NOT_FOUND;
  if (session.epoch !== sessionEpoch) return ErrorCode.INVALID_FETCH_SESSION_EPOCH;
  if (session.usesTopicIds !== usesTopicIds) return ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR;
  session.update(wanted, forgottenPartitions(request));
  fetchSessions.touch(session, nowMs);
  return { wanted: [...session.all()], session, incremental: true };
}

function wantedPartitions(request: Request): FetchPartition[] {
  const wanted: FetchPartition[] = [];
  for (const { topic, topicId, partitions } of request.topics) {
    for (const p of partitions) {
      wanted.push({
        topic,
        topicId,
        partition: p.partition,
        fetchOffset: toNumber(p.fetchOffset),
        maxBytes: p.partitionMaxBytes,
        currentLeaderEpoch: p.currentLeaderEpoch,
        lastFetchedEpoch: p.lastFetchedEpoch,
      });
    }
  }
  return wanted;
}

function forgottenPartitions(request: Request): FetchPartition[] {
  return request.forgottenTopicsData.flatMap(({ topic, topicId, partitions }) =>
    partitions.map((partition) => ({
      topic,
      topicId,
      partition,
      fetchOffset: 0,
      maxBytes: 0,
      currentLeaderEpoch: -1,
      lastFetchedEpoch: -1,
    })),
  );
}

interface PartitionRead {
  readonly wanted: FetchPartition;
  readonly response: PartitionResponse;
}

interface Read {
  readonly partitions: PartitionRead[];
  readonly sizeBytes: number;
  readonly hasError: boolean;
}

/** One fetch from its first look at the logs to its response. */
class Fetching {
  private readonly context: RequestContext;
  private readonly request: Request;
  private readonly resolved: Resolved;
  private readonly wanted: readonly FetchPartition[];
  private readonly maxBytes: number;
  private readonly minBytes: number;

  constructor(context: RequestContext, request: Request, resolved: Resolved) {
    this.context = context;
    this.request = request;
    this.resolved = resolved;
    this.wanted = [...resolved.wanted];
    this.maxBytes = Math.min(request.maxBytes, context.broker.config().get('fetch.max.bytes'));
    this.minBytes = Math.min(request.minBytes, this.maxBytes);
  }

  read(): Read {
    const partitions: PartitionRead[] = [];
    let sizeBytes = 0;
    let hasError = false;
    for (const wanted of this.wanted) {
      const response = this.readPartition(wanted, this.maxBytes - sizeBytes, sizeBytes === 0);
      sizeBytes += response.records?.length ?? 0;
      if (response.errorCode) hasError = true;
      partitions.push({ wanted, response });
    }
    return { partitions, sizeBytes, hasError };
  }

  isComplete(read: Read): boolean {
    return this.request.maxWaitMs <= 0 || this.wanted.length === 0 || read.hasError || read.sizeBytes >= this.minBytes;
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
    if (partition === undefined) return refused(wanted, this.missing(wanted));
    const epochError = checkLeaderEpoch(partition, wanted.currentLeaderEpoch);
    if (epochError !== 0) return refused(wanted, epochError);
    const read = () => this.readLog(partition, wanted, leftBytes, isFirst);
    return answerFor(this.context.broker, partition, read, (errorCode) => refused(wanted, errorCode));
  }

  /** Throws LogError or DiskError. */
  private readLog(
    partition: Partition,
    wanted: FetchPartition,
    leftBytes: number,
    isFirst: boolean,
  ): PartitionResponse {
    const { log, highWatermark, lastStableOffset, logStartOffset } = partition;
    if (wanted.fetchOffset > log.logEndOffset || wanted.fetchOffset < logStartOffset) {
      return refused(wanted, ErrorCode.OFFSET_OUT_OF_RANGE);
    }
    const upTo = this.visibleUpTo(partition);
    const read = this.readRecords(partition, wanted, upTo, leftBytes, isFirst);
    return {
      partitionIndex: wanted.partition,
      errorCode: 0,
      highWatermark,
      lastStableOffset,
      logStartOffset,
      abortedTransactions:
        this.request.isolationLevel === READ_COMMITTED ? aborted(partition, wanted, read.endOffset) : null,
      records: read.records,
    };
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
      ? missingPartitionById(broker, topicId, partition)
      : missingPartition(broker, topic, partition);
  }
}

/** Those with records among what was read, so that a long list of others does not come with each fetch. */
function aborted(partition: Partition, { fetchOffset }: FetchPartition, endOffset: number) {
  return endOffset <= fetchOffset ? [] : partition.log.abortedTransactions(fetchOffset, endOffset);
}

function refused(wanted: FetchPartition, errorCode: number): PartitionResponse {
  return {
    partitionIndex: wanted.partition,
    errorCode,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    abortedTransactions: [],
    // never null: librdkafka takes that for an invalid size
    records: NO_RECORDS,
  };
}
