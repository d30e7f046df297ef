/** The timers of share groups: a session a member. */
import type { TimerSink } from '../../coordinator/timers.ts';
import type { GroupTimer } from '../timers.ts';

export interface ShareTimer {
  readonly groupType: 'share';
  readonly type: 'session';
  readonly groupId: string;
  readonly memberId: string;
}

interface TimerHolder {
  readonly timers: TimerSink<GroupTimer>;
}

const sessionKey = (groupId: string, memberId: string): string => `share-session-${groupId}-${memberId}`;

/** Begins the member's session anew. */
export function scheduleSession(holder: TimerHolder, groupId: string, memberId: string, timeoutMs: number): void {
  const key = sessionKey(groupId, memberId);
  if (!holder.timers.extend(key, timeoutMs))
    holder.timers.schedule(key, timeoutMs, { groupType: 'share', type: 'session', groupId, memberId });
}

export function cancelSession(holder: TimerHolder, groupId: string, memberId: string): void {
  holder.timers.cancel(sessionKey(groupId, memberId));
}
