/** The timers of streams groups: their names and events. */
import type { TimerSink } from '../../coordinator/timers.ts';
import type { GroupTimer } from '../timers.ts';

export type StreamsTimer = { readonly groupType: 'streams'; readonly groupId: string } & (
  | {
      /** The member has not been heard of for a whole session. */
      readonly type: 'session';
      readonly memberId: string;
    }
  | {
      /** The member has had its time to give back the tasks that it lost in this epoch. */
      readonly type: 'rebalance';
      readonly memberId: string;
      readonly memberEpoch: number;
    }
  /** The first assignment has waited for more members. */
  | { readonly type: 'initial-rebalance' }
);

/** Whatever holds the timers. */
interface TimerHolder {
  readonly timers: TimerSink<GroupTimer>;
}

const sessionKey = (groupId: string, memberId: string): string => `streams-session-${groupId}-${memberId}`;
const rebalanceKey = (groupId: string, memberId: string): string => `streams-rebalance-${groupId}-${memberId}`;
const initialKey = (groupId: string): string => `streams-initial-${groupId}`;

/** Begins the member's session anew. */
export function scheduleSession({ timers }: TimerHolder, groupId: string, memberId: string, timeoutMs: number): void {
  const key = sessionKey(groupId, memberId);
  if (timers.extend(key, timeoutMs)) return;
  timers.schedule(key, timeoutMs, { groupType: 'streams', type: 'session', groupId, memberId });
}

export function scheduleRebalance(
  { timers }: TimerHolder,
  groupId: string,
  { memberId, memberEpoch }: { readonly memberId: string; readonly memberEpoch: number },
  timeoutMs: number,
): void {
  const event = { groupType: 'streams', type: 'rebalance', groupId, memberId, memberEpoch } as const;
  timers.schedule(rebalanceKey(groupId, memberId), timeoutMs, event);
}

export function cancelRebalance({ timers }: TimerHolder, groupId: string, memberId: string): void {
  timers.cancel(rebalanceKey(groupId, memberId));
}

export function cancelMemberTimers(holder: TimerHolder, groupId: string, memberId: string): void {
  holder.timers.cancel(sessionKey(groupId, memberId));
  cancelRebalance(holder, groupId, memberId);
}

/** The first assignment waits, unless it does so already. */
export function scheduleInitialRebalance({ timers }: TimerHolder, groupId: string, delayMs: number): void {
  if (timers.has(initialKey(groupId))) return;
  timers.schedule(initialKey(groupId), delayMs, { groupType: 'streams', type: 'initial-rebalance', groupId });
}

export function isInitialRebalanceDelayed({ timers }: TimerHolder, groupId: string): boolean {
  return timers.has(initialKey(groupId));
}

export function cancelInitialRebalance({ timers }: TimerHolder, groupId: string): void {
  timers.cancel(initialKey(groupId));
}
