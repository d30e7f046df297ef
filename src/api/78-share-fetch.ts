import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { ShareFetchRequest, ShareFetchResponse } from '../../protocol/messages/78-share-fetch.ts';
import type { InputOf, MessageOf } from '../../protocol/schema.ts';
import { andThen, type Eventually } from '../coordinator/eventually.ts';
import type { SessionPartition, ShareSession } from '../share/share-sessions.ts';
import { ByPartition } from './by-partition.ts';
import { handler, type RequestContext } from './handler.ts';
import { type Acknowledged, acknowledgeAll, hasAcknowledgements } from './share-acknowledgements.ts';
import { type Fetched, NO_RECORDS, ShareFetching } from './share-fetching.ts';
import {
  FINAL_EPOCH,
  INITIAL_EPOCH,
  invalidEpoch,
  Leaders,
  memberOf,
  partitionsOf,
  RENEW_SINCE,
  sessionNotFound,
} from './share-requests.ts';

type Request = MessageOf<typeof ShareFetchRequest>;
type Response = InputOf<typeof ShareFetchResponse>;
type PartitionResponse = Fetched['response'];

interface Member {
  readonly groupId: string;
  readonly memberId: string;
}

/**
 * ShareFetch (KIP-932): acknowledges what the member has done, then hands out records, at once when there are enough, else when
 * enough have come or maxWaitMs is over. Whether the member belongs to the group is not asked, as Kafka does not ask it: members
 * of share groups are not fenced.
 */
export const shareFetch = handler({
  request: ShareFetchRequest,
  response: ShareFetchResponse,
  versions: [1, 2],

  handle(context, request): Eventually<Response> {
    const member = memberOf(context.broker, request);
    const isRenewal = context.apiVersion >= RENEW_SINCE && request.isRenewAck;
    if (isRenewal) checkFetchesNothing(request);
    const session = sessionOf(context, request, member);
    if (session === null) return limitReached(context, request);
    const { shareSessionEpoch: epoch } = request;
    const wanted: SessionPartition[] = epoch === FINAL_EPOCH || isRenewal ? [] : session.all();
    const acknowledged = hasAcknowledgements(request) ? acknowledgeAll(context, member, request) : [];
    return andThen(acknowledged, (acknowledgements) =>
      andThen(new ShareFetching(context, request, member, wanted).run(), (fetched) => {
        const told = epoch === INITIAL_EPOCH || epoch === FINAL_EPOCH ? fetched : withNews(session, epoch, fetched);
        if (told === null) return INVALID_EPOCH;
        const response = responseOf(context, member.groupId, told, acknowledgements);
        if (epoch !== FINAL_EPOCH) return response;
        return andThen(context.broker.sharePartitions.endSession(session), () => response);
      }),
    );
  },

  // Kafka does not say more
  failed: (_request, errorCode) => ({ errorCode }),
});

const INVALID_EPOCH: Response = { errorCode: ErrorCode.INVALID_SHARE_SESSION_EPOCH };

/** A request that renews locks does nothing else (KIP-1222). */
function checkFetchesNothing(request: Request): void {
  const fields = ['maxBytes', 'minBytes', 'maxRecords', 'maxWaitMs'] as const;
  const wrong = fields.filter((field) => request[field] !== 0).map((field) => `${field} must be set to 0, `);
  if (wrong.length > 0) throw new KafkaError('INVALID_REQUEST', `${wrong.join('')}if isRenewAck is true.`);
}

/** The member's session, brought up to date; null where there may be no more of them. Throws KafkaError. */
function sessionOf(context: RequestContext, request: Request, member: Member): ShareSession | null {
  const { broker, connection } = context;
  const { groupId, memberId } = member;
  const { shareSessionEpoch: epoch } = request;
  const named = partitionsOf(broker, request.topics);
  if (epoch === INITIAL_EPOCH) {
    if (hasAcknowledgements(request)) throw new KafkaError('INVALID_REQUEST', MALFORMED);
    const begun = broker.shareSessions.begin(groupId, memberId, named);
    if (begun === null) return null;
    connection.onGone.add(() => disconnected(context, begun));
    return begun;
  }
  const session = broker.shareSessions.get(groupId, memberId);
  if (session === undefined) throw sessionNotFound();
  if (epoch === FINAL_EPOCH) return session;
  if (session.epoch !== epoch) throw invalidEpoch();
  const forgotten = request.forgottenTopicsData.flatMap(({ topicId, partitions }) =>
    partitions.map((partition) => ({ topicId, partition })),
  );
  session.update(named, forgotten);
  session.advance();
  return session;
}

const MALFORMED =
  'This most likely occurs because of a request being malformed by the client library or the message was sent to an incompatible broker. See the broker logs for more details.';

function disconnected({ broker }: RequestContext, session: ShareSession): void {
  const released = broker.sharePartitions.onDisconnected(session);
  if (!(released instanceof Promise)) return;
  const { groupId, memberId } = session;
  released.catch((err) => broker.logger.error({ err, groupId, memberId }, 'records could not be released'));
}

/** A member that finds no room is not to come back at once. */
function limitReached({ broker, connection }: RequestContext, { maxWaitMs }: Request): Promise<Response> {
  const wait = broker.fetchWaits.start([], Math.max(0, maxWaitMs), () => false);
  const gone = () => wait.finish();
  connection.onGone.add(gone);
  return wait.done.then(() => {
    connection.onGone.delete(gone);
    return {
      errorCode: ErrorCode.SHARE_SESSION_LIMIT_REACHED,
      errorMessage: 'The limit of share sessions has been reached.',
    };
  });
}

/** What a session has not told of yet; null where another request has come meanwhile. */
function withNews(session: ShareSession, epoch: number, fetched: readonly Fetched[]): Fetched[] | null {
  if (session.epoch !== (epoch === 0x7fff_ffff ? 1 : epoch + 1)) return null;
  return fetched.filter(({ topicId, response }) => {
    const of = { topicId, partition: response.partitionIndex ?? 0 };
    return session.hasNews(of, (response.records?.length ?? 0) > 0, (response.errorCode ?? 0) !== 0);
  });
}

function responseOf(
  context: RequestContext,
  groupId: string,
  fetched: readonly Fetched[],
  acknowledgements: readonly Acknowledged[],
): Response {
  const leaders = new Leaders(context);
  const told = new ByPartition<PartitionResponse>();
  for (const { topicId, response } of fetched) {
    const { errorCode, partitionIndex = 0 } = response;
    const isElsewhere = errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER || errorCode === ErrorCode.FENCED_LEADER_EPOCH;
    const toTell = isElsewhere ? { ...response, currentLeader: leaders.of(topicId, partitionIndex) } : response;
    told.set(topicId, partitionIndex, toTell);
  }
  for (const { topicId, partition: partitionIndex, errorCode, errorMessage } of acknowledgements) {
    const response = told.get(topicId, partitionIndex) ?? { partitionIndex, records: NO_RECORDS };
    const acknowledged = { acknowledgeErrorCode: errorCode, acknowledgeErrorMessage: errorMessage };
    told.set(topicId, partitionIndex, { ...response, ...acknowledged });
  }
  const responses = [...told.topics].map(([topicId, partitions]) => ({
    topicId,
    partitions: [...partitions.values()],
  }));
  const acquisitionLockTimeoutMs = context.broker.groupConfig(groupId).get('share.record.lock.duration.ms');
  return { acquisitionLockTimeoutMs, responses, nodeEndpoints: leaders.endpoints };
}
