import { ErrorCode } from '../../protocol/errors.ts';
import { ShareAcknowledgeRequest, ShareAcknowledgeResponse } from '../../protocol/messages/79-share-acknowledge.ts';
import type { InputOf } from '../../protocol/schema.ts';
import { andThen, type Eventually } from '../coordinator/eventually.ts';
import { handler, type RequestContext } from './handler.ts';
import { type Acknowledged, acknowledgeAll } from './share-acknowledgements.ts';
import { FINAL_EPOCH, INITIAL_EPOCH, invalidEpoch, Leaders, memberOf, sessionNotFound } from './share-requests.ts';

type Response = InputOf<typeof ShareAcknowledgeResponse>;

/** ShareAcknowledge (KIP-932, KIP-1222): what a member has done with records, answered when that is written. */
export const shareAcknowledge = handler({
  request: ShareAcknowledgeRequest,
  response: ShareAcknowledgeResponse,
  versions: [1, 2],

  handle(context, request): Eventually<Response> {
    const { broker } = context;
    const member = memberOf(broker, request);
    const { shareSessionEpoch: epoch } = request;
    if (epoch === INITIAL_EPOCH) throw invalidEpoch();
    const session = broker.shareSessions.get(member.groupId, member.memberId);
    if (session === undefined) throw sessionNotFound();
    if (epoch !== FINAL_EPOCH) {
      if (epoch !== session.epoch) throw invalidEpoch();
      session.advance();
    }
    return andThen(acknowledgeAll(context, member, request), (results) => {
      const ended = epoch === FINAL_EPOCH ? broker.sharePartitions.endSession(session) : undefined;
      return andThen(ended, () => response(context, member.groupId, results));
    });
  },

  // Kafka does not say more
  failed: (_request, errorCode) => ({ errorCode }),
});

function response(context: RequestContext, groupId: string, results: readonly Acknowledged[]): Response {
  const leaders = new Leaders(context);
  const topics = new Map<string, Acknowledged[]>();
  for (const one of results) topics.set(one.topicId, [...(topics.get(one.topicId) ?? []), one]);
  const responses = [...topics].map(([topicId, partitions]) => ({
    topicId,
    partitions: partitions.map(({ partition: partitionIndex, errorCode, errorMessage }) => {
      const isElsewhere = errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER || errorCode === ErrorCode.FENCED_LEADER_EPOCH;
      const currentLeader = isElsewhere ? leaders.of(topicId, partitionIndex) : {};
      return { partitionIndex, errorCode, errorMessage, currentLeader };
    }),
  }));
  const acquisitionLockTimeoutMs = context.broker.groupConfig(groupId).get('share.record.lock.duration.ms');
  return { acquisitionLockTimeoutMs, responses, nodeEndpoints: leaders.endpoints };
}
