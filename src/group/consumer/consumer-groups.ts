import { ErrorCode, type ErrorCodeValue, KafkaError } from '../../../protocol/errors.ts';
import type { ConsumerGroupHeartbeatRequest } from '../../../protocol/messages/68-consumer-group-heartbeat.ts';
import type { MessageOf } from '../../../protocol/schema.ts';
import type { Eventually } from '../../coordinator/eventually.ts';
import type { Caller } from '../caller.ts';
import type { GroupOperations } from '../operations.ts';
import { type DescribedGroup, describeConsumerGroup } from './describe.ts';
import { consumerHeartbeat, type HeartbeatResponse } from './heartbeat.ts';
import { configuredAssignors } from './target-assignment.ts';
import { requireValid } from './validate.ts';

/** The requests of the consumer group protocol (KIP-848). */
export class ConsumerGroups {
  private readonly operations: GroupOperations;

  constructor(operations: GroupOperations) {
    this.operations = operations;
  }

  heartbeat(caller: Caller, request: MessageOf<typeof ConsumerGroupHeartbeatRequest>): Eventually<HeartbeatResponse> {
    const failed = (errorCode: ErrorCodeValue, { message }: KafkaError) => ({ errorCode, errorMessage: message });
    try {
      requireValid(request, caller.apiVersion, this.assignorNames());
    } catch (error) {
      if (error instanceof KafkaError) return failed(error.code, error);
      throw error;
    }
    return this.operations.write<HeartbeatResponse>(
      request.groupId,
      (shard, nowMs) => consumerHeartbeat(shard, caller, request, nowMs),
      failed,
    );
  }

  private assignorNames(): string[] {
    return configuredAssignors(this.operations.config().get('group.consumer.assignors')).map(({ name }) => name);
  }

  describe(groupId: string): DescribedGroup {
    if (groupId === '') return { groupId, errorCode: ErrorCode.INVALID_GROUP_ID };
    const failed = (errorCode: ErrorCodeValue): DescribedGroup => ({ groupId, errorCode });
    return this.operations.read(groupId, (shard) => describeConsumerGroup(shard, groupId), failed);
  }
}
