/** The timers of classic groups: their names and events. */
import type { TimerSink } from '../../coordinator/timers.ts';
import type { GroupTimer } from '../timers.ts';
import type { ClassicGroup } from './classic-group.ts';
import type { Member } from './member.ts';

export type ClassicTimer = { readonly groupType: 'classic'; readonly groupId: string } & (
  | {
      /** The member's session, or what it has for coming back with the id it was given. */
      readonly type: 'session';
      readonly memberId: string;
    }
  | JoinTimer
  | {
      /** The members of the generation have had their time to ask for their assignment. */
      readonly type: 'sync';
      readonly generationId: number;
    }
);

export type JoinTimer =
  | {
      /** The initial rebalance waits for more members; `remainingMs` of further waiting is left after `delayMs`. */
      readonly type: 'initial-rebalance';
      readonly delayMs: number;
      readonly remainingMs: number;
    }
  /** The members have had their time to join. */
  | { readonly type: 'join' };

/** Whatever holds the timers. */
export interface TimerHolder {
  readonly timers: TimerSink<GroupTimer>;
}

const sessionKey = (groupId: string, memberId: string): string => `session-${groupId}-${memberId}`;
const joinKey = (groupId: string): string => `join-${groupId}`;
const syncKey = (groupId: string): string => `sync-${groupId}`;

/** Begins the member's session anew; `timeoutMs` in the place of its session timeout. */
export function scheduleSession(holder: TimerHolder, group: ClassicGroup, member: Member, timeoutMs?: number): void {
  scheduleSessionOf(holder, group.groupId, member.memberId, timeoutMs ?? member.sessionTimeoutMs);
}

/** The same for an id that is not a member yet. */
export function scheduleSessionOf(holder: TimerHolder, groupId: string, memberId: string, timeoutMs: number): void {
  const key = sessionKey(groupId, memberId);
  if (!holder.timers.extend(key, timeoutMs))
    holder.timers.schedule(key, timeoutMs, { groupType: 'classic', type: 'session', groupId, memberId });
}

export function cancelSession(holder: TimerHolder, group: ClassicGroup, memberId: string): void {
  holder.timers.cancel(sessionKey(group.groupId, memberId));
}

/** Members may join until then; a group has one such timer, for the initial or for a later rebalance. */
export function scheduleJoin(holder: TimerHolder, groupId: string, event: JoinTimer, delayMs: number): void {
  holder.timers.schedule(joinKey(groupId), delayMs, { groupType: 'classic', groupId, ...event });
}

export function cancelJoin(holder: TimerHolder, group: ClassicGroup): void {
  holder.timers.cancel(joinKey(group.groupId));
}

export function scheduleSync(holder: TimerHolder, group: ClassicGroup): void {
  const { groupId, generationId } = group;
  holder.timers.schedule(syncKey(groupId), group.rebalanceTimeoutMs(), {
    groupType: 'classic',
    type: 'sync',
    groupId,
    generationId,
  });
}

export function cancelSync(holder: TimerHolder, group: ClassicGroup): void {
  holder.timers.cancel(syncKey(group.groupId));
}

/** The group goes: with it all its timers. */
export function cancelGroupTimers(holder: TimerHolder, group: ClassicGroup): void {
  cancelJoin(holder, group);
  cancelSync(holder, group);
  for (const memberId of [...group.members.keys(), ...group.pendingJoin]) cancelSession(holder, group, memberId);
}
