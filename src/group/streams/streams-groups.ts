import { ErrorCode, type ErrorCodeValue, type KafkaError } from '../../../protocol/errors.ts';
import { asKafkaError } from '../../coordinator/errors.ts';
import { andThen, type Eventually } from '../../coordinator/eventually.ts';
import type { Clock } from '../../env.ts';
import type { Caller } from '../caller.ts';
import type { GroupOperations } from '../operations.ts';
import { type DescribedStreamsGroup, describeStreamsGroup } from './describe.ts';
import { type HeartbeatResponse, type HeartbeatResult, heartbeat } from './heartbeat.ts';
import { leave } from './leave.ts';
import { checkHeartbeat, type HeartbeatRequest, LEAVING } from './request-checks.ts';
import { StatusCode } from './status.ts';
import { type CreateTopics, TopicCreation } from './topic-creation.ts';

/** Failures of topic creations that are told at a time. */
const FAILURES_TOLD_MAX = 3;

/** The requests of the Streams group protocol (KIP-1071). */
export class StreamsGroups {
  private readonly operations: GroupOperations;
  private readonly clock: Clock;
  private readonly creation = new TopicCreation();

  constructor(operations: GroupOperations, clock: Clock) {
    this.operations = operations;
    this.clock = clock;
  }

  /** `create`: how internal topics are created that the application still needs; the response does not wait for them. */
  heartbeat(caller: Caller, request: HeartbeatRequest, create: CreateTopics): Eventually<HeartbeatResponse> {
    try {
      checkHeartbeat(request);
    } catch (error) {
      const reason = asKafkaError(error);
      return refused(this.operations.told(reason, error), reason).response;
    }
    const done = this.operations.write(
      request.groupId,
      (shard, nowMs) =>
        request.memberEpoch === LEAVING ? leave(shard, request) : heartbeat(shard, caller, request, nowMs),
      refused,
    );
    return andThen(done, (result) => this.withTopics(result, create));
  }

  describeGroup(groupId: string): DescribedStreamsGroup {
    if (groupId === '') return { groupId, errorCode: ErrorCode.INVALID_GROUP_ID };
    let errorMessage: string | null = null;
    return this.operations.read(
      groupId,
      (shard) => {
        try {
          return describeStreamsGroup(shard, groupId);
        } catch (error) {
          errorMessage = told(asKafkaError(error));
          throw error;
        }
      },
      (errorCode) => ({ groupId, errorCode, errorMessage }),
    );
  }

  private withTopics({ response, missing, heartbeatIntervalMs }: HeartbeatResult, create: CreateTopics) {
    if (missing.length === 0) return response;
    const nowMs = () => this.clock.monotonicMs();
    const timeoutMs = this.operations.config().get('request.timeout.ms');
    this.creation.begin(missing, { create, timeoutMs, errorMs: 2 * heartbeatIntervalMs, nowMs });
    const failures = [...this.creation.failures(missing, nowMs())];
    if (failures.length === 0) return response;
    const some = failures.slice(0, FAILURES_TOLD_MAX).map(([topic, message]) => `${topic} (${message})`);
    const rest = failures.length - some.length;
    const detail = `; Creation failed: ${some.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}.`;
    const status = response.status?.map((s) =>
      s.statusCode === StatusCode.MISSING_INTERNAL_TOPICS ? { ...s, statusDetail: s.statusDetail + detail } : s,
    );
    return { ...response, status };
  }
}

function refused(errorCode: ErrorCodeValue, reason: KafkaError): HeartbeatResult {
  return { response: { errorCode, errorMessage: told(reason) }, missing: [], heartbeatIntervalMs: 0 };
}

/** What a client is told beside the code: nothing of faults of ours, nor what the code says already. */
function told(reason: KafkaError): string | null {
  const isPlain = reason.code === ErrorCode.UNKNOWN_SERVER_ERROR || reason.message === reason.errorName;
  return isPlain ? null : reason.message;
}
