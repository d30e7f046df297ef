import type { GroupShard } from '../group-shard.ts';
import { type Status, StatusCode } from './status.ts';
import type { StreamsGroup } from './streams-group.ts';

/** A member met an error that concerns all: every member is told to shut down, until the group has been empty. */
export function requestShutdown({ env }: GroupShard, group: StreamsGroup, memberId: string): void {
  if (group.shutdownRequestedBy !== null) return;
  group.shutdownRequestedBy = memberId;
  env.logger.info({ groupId: group.groupId, memberId }, 'a member asks the whole application to shut down');
}

export function shutdownStatus({ shutdownRequestedBy }: StreamsGroup): Status[] {
  if (shutdownRequestedBy === null) return [];
  const statusDetail = `Streams group member ${shutdownRequestedBy} encountered a fatal error and requested a shutdown for the entire application.`;
  return [{ statusCode: StatusCode.SHUTDOWN_APPLICATION, statusDetail }];
}
