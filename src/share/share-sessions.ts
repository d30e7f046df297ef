/**
 * Share sessions (KIP-932): the broker remembers which partitions a member fetches, so that a request names only what changed. A
 * session belongs to the connection it was begun on: with that goes the member, and what it had is released.
 */

export interface SessionPartition {
  readonly topicId: string;
  readonly partition: number;
  /** The topic existed when the partition was named. */
  readonly isKnown: boolean;
}

const LAST_EPOCH = 0x7fff_ffff;

const keyOf = ({ topicId, partition }: { topicId: string; partition: number }): string => `${topicId}/${partition}`;

export class ShareSession {
  readonly groupId: string;
  readonly memberId: string;
  /** Of the next request. */
  epoch = 1;
  /** In the order in which they are to be served. */
  private readonly partitions = new Map<string, SessionPartition>();
  /** Named since the last response: the next one tells of them whatever there is to tell. */
  private readonly unanswered = new Set<string>();

  constructor(groupId: string, memberId: string, partitions: readonly SessionPartition[]) {
    this.groupId = groupId;
    this.memberId = memberId;
    for (const one of partitions) this.partitions.set(keyOf(one), one);
  }

  all(): SessionPartition[] {
    return [...this.partitions.values()];
  }

  update(named: readonly SessionPartition[], forgotten: readonly { topicId: string; partition: number }[]): void {
    for (const one of named) {
      if (this.partitions.has(keyOf(one))) continue;
      this.partitions.set(keyOf(one), one);
      this.unanswered.add(keyOf(one));
    }
    for (const one of forgotten) {
      this.partitions.delete(keyOf(one));
      this.unanswered.delete(keyOf(one));
    }
  }

  /** 1, 2, ... and after the largest int32 again 1: 0 and -1 have meanings of their own. */
  advance(): void {
    this.epoch = this.epoch === LAST_EPOCH ? 1 : this.epoch + 1;
  }

  /** Whether the response has to carry the partition. One with records goes to the end: fairness between them. */
  hasNews(of: { topicId: string; partition: number }, hasRecords: boolean, isError: boolean): boolean {
    const key = keyOf(of);
    const isNew = this.unanswered.delete(key);
    // after an error the next response must say again how the partition stands
    if (isError) this.unanswered.add(key);
    const known = this.partitions.get(key);
    if (hasRecords && known !== undefined) {
      this.partitions.delete(key);
      this.partitions.set(key, known);
    }
    return isNew || hasRecords || isError;
  }
}

/** All sessions of this broker, by group and member; as many as group.share.max.share.sessions allows. */
export class ShareSessions {
  private readonly sessions = new Map<string, ShareSession>();
  private readonly maxSessions: () => number;

  constructor(maxSessions: () => number) {
    this.maxSessions = maxSessions;
  }

  get size(): number {
    return this.sessions.size;
  }

  get(groupId: string, memberId: string): ShareSession | undefined {
    return this.sessions.get(sessionKey(groupId, memberId));
  }

  /** Begins a session in place of one that the member may have; null where there are too many of others. */
  begin(groupId: string, memberId: string, partitions: readonly SessionPartition[]): ShareSession | null {
    this.sessions.delete(sessionKey(groupId, memberId));
    if (this.sessions.size >= this.maxSessions()) return null;
    const session = new ShareSession(groupId, memberId, partitions);
    this.sessions.set(sessionKey(groupId, memberId), session);
    return session;
  }

  /** False where it is not the member's present session. */
  end(session: ShareSession): boolean {
    const key = sessionKey(session.groupId, session.memberId);
    return this.sessions.get(key) === session && this.sessions.delete(key);
  }

  hasMembers(groupId: string): boolean {
    for (const session of this.sessions.values()) if (session.groupId === groupId) return true;
    return false;
  }
}

const sessionKey = (groupId: string, memberId: string): string => JSON.stringify([groupId, memberId]);
