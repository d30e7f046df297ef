import { KafkaError } from '../../protocol/errors.ts';
import {
  ConsumerGroupDescribeRequest,
  ConsumerGroupDescribeResponse,
} from '../../protocol/messages/69-consumer-group-describe.ts';
import { GROUP_OPERATIONS, NOT_ASKED } from '../security/authorized-operations.ts';
import { servesConsumerGroups } from './group-protocols.ts';
import { handler } from './handler.ts';

/** ConsumerGroupDescribe (KIP-848): epochs, members, what they have and what they are to have. */
export const consumerGroupDescribe = handler({
  request: ConsumerGroupDescribeRequest,
  response: ConsumerGroupDescribeResponse,
  versions: [0, 1],

  handle(context, request) {
    if (!servesConsumerGroups(context.broker)) throw new KafkaError('UNSUPPORTED_VERSION');
    const authorizedOperations = request.includeAuthorizedOperations ? GROUP_OPERATIONS : NOT_ASKED;
    const groups = request.groupIds.map((groupId) => {
      const group = context.broker.groups.consumer.describe(groupId);
      return group.errorCode ? group : { ...group, authorizedOperations };
    });
    return { groups };
  },

  failed: (request, errorCode) => ({ groups: request.groupIds.map((groupId) => ({ groupId, errorCode })) }),
});
