/** The timers of consumer groups: their names and events. */
import type { TimerSink } from '../../coordinator/timers.ts';
import type { GroupTimer } from '../timers.ts';

export type ConsumerTimer = { readonly groupType: 'consumer'; readonly groupId: string } & (
  | {
      /** No heartbeat has come; or (classic members only) the member did not join or sync in its time. */
      readonly type: 'session' | 'join' | 'sync';
      readonly memberId: string;
    }
  | {
      /** The member has had its time to give partitions up in this epoch. */
      readonly type: 'rebalance';
      readonly memberId: string;
      readonly memberEpoch: number;
    }
  /** The regular expressions are to be matched against the topics. */
  | { readonly type: 'regex'; readonly regexes: readonly string[] }
);

type MemberTimer = 'session' | 'rebalance' | 'join' | 'sync';

interface TimerHolder {
  readonly timers: TimerSink<GroupTimer>;
}

const key = (type: MemberTimer, groupId: string, memberId: string): string => `consumer-${type}-${groupId}-${memberId}`;
const regexKey = (groupId: string): string => `consumer-regex-${groupId}`;

/** Begins the member's session anew. */
export function scheduleSession(holder: TimerHolder, groupId: string, memberId: string, timeoutMs: number): void {
  const name = key('session', groupId, memberId);
  if (!holder.timers.extend(name, timeoutMs))
    holder.timers.schedule(name, timeoutMs, { groupType: 'consumer', type: 'session', groupId, memberId });
}

export function scheduleRebalance(
  holder: TimerHolder,
  groupId: string,
  { memberId, memberEpoch, rebalanceTimeoutMs }: { memberId: string; memberEpoch: number; rebalanceTimeoutMs: number },
): void {
  const event = { groupType: 'consumer', type: 'rebalance', groupId, memberId, memberEpoch } as const;
  holder.timers.schedule(key('rebalance', groupId, memberId), rebalanceTimeoutMs, event);
}

export function cancelRebalance(holder: TimerHolder, groupId: string, memberId: string): void {
  holder.timers.cancel(key('rebalance', groupId, memberId));
}

/** A classic member is asked to join again; the time that runs already counts. */
export function scheduleJoin(holder: TimerHolder, groupId: string, memberId: string, timeoutMs: number): void {
  const name = key('join', groupId, memberId);
  if (holder.timers.has(name)) return;
  holder.timers.schedule(name, timeoutMs, { groupType: 'consumer', type: 'join', groupId, memberId });
}

export function cancelJoin(holder: TimerHolder, groupId: string, memberId: string): void {
  holder.timers.cancel(key('join', groupId, memberId));
}

export function scheduleSync(holder: TimerHolder, groupId: string, memberId: string, timeoutMs: number): void {
  const event = { groupType: 'consumer', type: 'sync', groupId, memberId } as const;
  holder.timers.schedule(key('sync', groupId, memberId), timeoutMs, event);
}

export function cancelSync(holder: TimerHolder, groupId: string, memberId: string): void {
  holder.timers.cancel(key('sync', groupId, memberId));
}

/** The member goes: with it all its timers. */
export function cancelMemberTimers(holder: TimerHolder, groupId: string, memberId: string): void {
  for (const type of ['session', 'rebalance', 'join', 'sync'] as const)
    holder.timers.cancel(key(type, groupId, memberId));
}

/** Regular expressions are matched behind the answer to the heartbeat that asked for it. */
export function scheduleRegex(holder: TimerHolder, groupId: string, regexes: readonly string[]): void {
  holder.timers.schedule(regexKey(groupId), 0, { groupType: 'consumer', type: 'regex', groupId, regexes });
}

export function isRegexScheduled(holder: TimerHolder, groupId: string): boolean {
  return holder.timers.has(regexKey(groupId));
}

export function cancelRegex(holder: TimerHolder, groupId: string): void {
  holder.timers.cancel(regexKey(groupId));
}
