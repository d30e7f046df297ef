/** What a Fetch asks for: the partitions that it names itself and those that its session remembers (KIP-227). */
import { ErrorCode } from '../../protocol/errors.ts';
import { toNumber } from '../../protocol/int64.ts';
import type { FetchRequest } from '../../protocol/messages/01-fetch.ts';
import type { MessageOf } from '../../protocol/schema.ts';
import type { FetchPartition, FetchSession, NamedPartition } from '../partition/fetch-session.ts';
import type { RequestContext } from './handler.ts';

type Request = MessageOf<typeof FetchRequest>;

/** Topic ids in place of names (KIP-516). */
export const TOPIC_IDS_SINCE = 13;
/** Session epochs with a meaning: 0 asks for a new session, -1 for none. */
const INITIAL_EPOCH = 0;
const FINAL_EPOCH = -1;

/** What this fetch is about: the partitions in order, and the session that remembers them, if any. */
export interface Resolved {
  readonly wanted: readonly FetchPartition[];
  readonly session: FetchSession | null;
  /** True where the response leaves out partitions without news. */
  readonly incremental: boolean;
}

/** Kafka's error code where the session is not what the client thinks. */
export function resolveSession(context: RequestContext, request: Request): Resolved | number {
  const { fetchSessions, clock } = context.broker;
  const { sessionId, sessionEpoch } = request;
  const usesTopicIds = context.apiVersion >= TOPIC_IDS_SINCE;
  const wanted = wantedPartitions(context, request);
  const nowMs = clock.monotonicMs();
  if (sessionEpoch === FINAL_EPOCH || sessionEpoch === INITIAL_EPOCH) {
    if (sessionId !== 0) fetchSessions.remove(sessionId);
    if (sessionEpoch === FINAL_EPOCH) return { wanted, session: null, incremental: false };
    const session = fetchSessions.create(usesTopicIds, nowMs);
    session?.update(wanted, []);
    return { wanted: session === null ? wanted : [...session.all()], session, incremental: false };
  }
  const session = fetchSessions.get(sessionId);
  if (session === undefined) return ErrorCode.FETCH_SESSION_ID_NOT_FOUND;
  if (session.epoch !== sessionEpoch) return ErrorCode.INVALID_FETCH_SESSION_EPOCH;
  if (session.usesTopicIds !== usesTopicIds) return ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR;
  session.update(wanted, forgottenPartitions(request));
  if (session.size === 0) {
    fetchSessions.remove(sessionId);
    return { wanted, session: null, incremental: false };
  }
  fetchSessions.touch(session, nowMs);
  return { wanted: [...session.all()], session, incremental: true };
}

/** Each partition once, as it is named last, in the place where it is named first. */
function wantedPartitions({ broker, apiVersion }: RequestContext, request: Request): FetchPartition[] {
  const wanted = new Map<string, FetchPartition>();
  for (const { topic: named, topicId, partitions } of request.topics) {
    const topic = apiVersion >= TOPIC_IDS_SINCE ? (broker.image().topicById(topicId)?.name ?? '') : named;
    for (const p of partitions) {
      wanted.set(`${topicId}/${named}/${p.partition}`, {
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
  return [...wanted.values()];
}

function forgottenPartitions(request: Request): NamedPartition[] {
  return request.forgottenTopicsData.flatMap(({ topic, topicId, partitions }) =>
    partitions.map((partition) => ({ topic, topicId, partition })),
  );
}
