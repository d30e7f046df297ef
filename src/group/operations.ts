import { ErrorCode, type ErrorCodeValue, type KafkaError } from '../../protocol/errors.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import { asKafkaError, coordinatorError } from '../coordinator/errors.ts';
import type { Eventually } from '../coordinator/eventually.ts';
import type { CoordinatorRuntime } from '../coordinator/runtime.ts';
import type { Outcome } from '../coordinator/state-machine.ts';
import type { Logger } from '../env.ts';
import type { GroupShard } from './group-shard.ts';
import type { GroupRecord } from './records.ts';
import type { GroupTimer } from './timers.ts';

export type GroupRuntime = CoordinatorRuntime<GroupShard, GroupRecord, GroupTimer>;

export interface GroupOperationsOptions {
  readonly runtime: GroupRuntime;
  readonly logger: Logger;
  config(): BrokerConfig;
  partitionFor(groupId: string): number;
}

/** How the services of all kinds of groups reach the state machine that holds a group. */
export class GroupOperations {
  private readonly options: GroupOperationsOptions;
  private readonly runtime: GroupRuntime;

  constructor(options: GroupOperationsOptions) {
    this.options = options;
    this.runtime = options.runtime;
  }

  config(): BrokerConfig {
    return this.options.config();
  }

  /**
   * Runs an operation on a group that may write; a failure becomes a response. The response comes at once where that is
   * possible.
   */
  write<T>(
    groupId: string,
    operation: (shard: GroupShard, nowMs: number) => Outcome<GroupRecord, T>,
    failed: (errorCode: ErrorCodeValue, reason: KafkaError) => T,
  ): Eventually<T> {
    const onError = (error: unknown) => {
      const reason = asKafkaError(error);
      return failed(this.told(reason, error), reason);
    };
    try {
      const done = this.runtime.write(this.options.partitionFor(groupId), groupId, operation);
      return done instanceof Promise ? done.catch(onError) : done;
    } catch (error) {
      return onError(error);
    }
  }

  /** Asks for committed state; a failure becomes a response. */
  read<T>(
    groupId: string,
    query: (shard: GroupShard) => T,
    failed: (errorCode: ErrorCodeValue, reason: KafkaError) => T,
  ): T {
    try {
      return this.runtime.read(this.options.partitionFor(groupId), query);
    } catch (error) {
      const reason = asKafkaError(error);
      return failed(this.told(reason, error), reason);
    }
  }

  /** The code a client is told; a fault of ours goes to the log. */
  told(reason: KafkaError, error: unknown): ErrorCodeValue {
    if (reason.code === ErrorCode.UNKNOWN_SERVER_ERROR)
      this.options.logger.error({ err: error }, 'the group coordinator failed');
    return coordinatorError(reason.code);
  }
}
