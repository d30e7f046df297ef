import { KafkaError } from '../../../protocol/errors.ts';
import type { ConsumerGroupHeartbeatRequest } from '../../../protocol/messages/68-consumer-group-heartbeat.ts';
import type { MessageOf } from '../../../protocol/schema.ts';
import { LEAVE_EPOCH, LEAVE_STATIC_EPOCH } from './consumer-member.ts';

type Request = MessageOf<typeof ConsumerGroupHeartbeatRequest>;

/** From then on a member gives itself its id. */
const OWN_MEMBER_ID_VERSION = 1;

/** What can be said of a request without its group. Throws INVALID_REQUEST, UNSUPPORTED_ASSIGNOR. */
export function requireValid(request: Request, apiVersion: number, assignors: readonly string[]): void {
  const { memberEpoch } = request;
  if (apiVersion >= OWN_MEMBER_ID_VERSION || memberEpoch > 0 || memberEpoch === LEAVE_EPOCH)
    requireText(request.memberId, 'MemberId');
  requireText(request.groupId, 'GroupId');
  requireText(request.instanceId, 'InstanceId');
  requireText(request.rackId, 'RackId');
  if (memberEpoch === 0) requireJoin(request);
  else if (memberEpoch === LEAVE_STATIC_EPOCH && request.instanceId === null)
    throw invalid("InstanceId can't be null.");
  else if (memberEpoch < LEAVE_STATIC_EPOCH) throw invalid('MemberEpoch is invalid.');
  const { serverAssignor } = request;
  if (serverAssignor !== null && !assignors.includes(serverAssignor)) {
    const supported = `Supported assignors: ${assignors.join(', ')}.`;
    throw new KafkaError('UNSUPPORTED_ASSIGNOR', `ServerAssignor ${serverAssignor} is not supported. ${supported}`);
  }
}

function requireJoin(request: Request): void {
  if (request.rebalanceTimeoutMs === -1) throw invalid('RebalanceTimeoutMs must be provided in first request.');
  if (request.topicPartitions === null || request.topicPartitions.length > 0)
    throw invalid('TopicPartitions must be empty when (re-)joining.');
  if (request.subscribedTopicNames === null && request.subscribedTopicRegex === null)
    throw invalid('Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.');
}

/** Null is fine: not given. */
function requireText(value: string | null, field: string): void {
  if (value !== null && value.trim() === '') throw invalid(`${field} can't be empty.`);
}

const invalid = (message: string): KafkaError => new KafkaError('INVALID_REQUEST', message);
