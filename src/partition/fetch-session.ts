/**
 * Incremental fetch sessions (KIP-227): the broker remembers which partitions a client fetches, so that a request names
 * only what changed and a response carries only partitions that have something new.
 */
import type { Random } from '../env.ts';

export interface NamedPartition {
  /** From Fetch 13 on the name that the topic had when it was first asked for by its id; empty where there was none. */
  topic: string;
  /** ZERO_UUID before Fetch 13. */
  topicId: string;
  partition: number;
}

/** What a client wants of one partition. */
export interface FetchPartition extends NamedPartition {
  fetchOffset: number;
  maxBytes: number;
  /** -1: the client does not know. */
  currentLeaderEpoch: number;
  lastFetchedEpoch: number;
}

/** What the client has last been told of a partition in a session. */
interface Remembered extends FetchPartition {
  highWatermark: number;
  logStartOffset: number;
}

export interface PartitionNews {
  errorCode: number;
  recordsBytes: number;
  highWatermark: number;
  logStartOffset: number;
  /** The client's log is another one from some offset on. */
  isDiverging: boolean;
}

/** Key of a partition within a session: by topic id where the client uses ids. */
const keyOf = (p: NamedPartition, usesTopicIds: boolean): string =>
  `${usesTopicIds ? p.topicId : p.topic}/${p.partition}`;

const NEVER_TOLD = { highWatermark: -1, logStartOffset: -1 };
const LAST_EPOCH = 0x7fff_ffff;

export class FetchSession {
  readonly id: number;
  readonly usesTopicIds: boolean;
  epoch = 1;
  lastUsedMs: number;
  private readonly partitions = new Map<string, Remembered>();

  constructor(id: number, usesTopicIds: boolean, nowMs: number) {
    this.id = id;
    this.usesTopicIds = usesTopicIds;
    this.lastUsedMs = nowMs;
  }

  get size(): number {
    return this.partitions.size;
  }

  /** Adds the partitions of a request, or changes what is wanted of those that are there. */
  update(wanted: readonly FetchPartition[], forgotten: readonly NamedPartition[]): void {
    for (const p of wanted) {
      const key = keyOf(p, this.usesTopicIds);
      const known = this.partitions.get(key);
      if (known === undefined) this.partitions.set(key, { ...p, ...NEVER_TOLD });
      else Object.assign(known, p, { topic: known.topic || p.topic });
    }
    for (const p of forgotten) this.partitions.delete(keyOf(p, this.usesTopicIds));
  }

  /** In the order in which they are to be served. */
  all(): Iterable<FetchPartition> {
    return this.partitions.values();
  }

  /** Whether the response has to carry the partition. One that had records goes to the end: fairness between them. */
  hasNews(p: FetchPartition, news: PartitionNews): boolean {
    const known = p as Remembered;
    let changed = news.recordsBytes > 0 || news.errorCode !== 0 || news.isDiverging;
    if (known.highWatermark !== news.highWatermark || known.logStartOffset !== news.logStartOffset) changed = true;
    known.highWatermark = news.highWatermark;
    known.logStartOffset = news.logStartOffset;
    // after an error the next response must say again how the partition stands
    if (news.errorCode !== 0) known.highWatermark = -1;
    if (news.recordsBytes > 0) this.moveToEnd(known);
    return changed;
  }

  private moveToEnd(p: Remembered): void {
    const key = keyOf(p, this.usesTopicIds);
    this.partitions.delete(key);
    this.partitions.set(key, p);
  }

  /** 1, 2, ... and after the largest int32 again 1: 0 and -1 have meanings of their own. */
  advance(nowMs: number): void {
    this.epoch = this.epoch === LAST_EPOCH ? 1 : this.epoch + 1;
    this.lastUsedMs = nowMs;
  }
}

/** All sessions of this broker: bounded; the one unused for longest gives way once it has been idle long enough. */
export class FetchSessions {
  private readonly sessions = new Map<number, FetchSession>();
  private readonly random: Random;
  private readonly maxSessions: () => number;
  private readonly evictAfterMs = 120_000;

  constructor(random: Random, maxSessions: () => number) {
    this.random = random;
    this.maxSessions = maxSessions;
  }

  get size(): number {
    return this.sessions.size;
  }
  get(id: number): FetchSession | undefined {
    return this.sessions.get(id);
  }
  remove(id: number): void {
    this.sessions.delete(id);
  }

  /** A new session, or null where the table is full of sessions in use: the client then fetches without one. */
  create(usesTopicIds: boolean, nowMs: number): FetchSession | null {
    if (this.sessions.size >= this.maxSessions() && !this.evict(nowMs)) return null;
    let id = 0;
    while (id === 0 || this.sessions.has(id)) id = this.random.int(LAST_EPOCH);
    const session = new FetchSession(id, usesTopicIds, nowMs);
    this.sessions.set(id, session);
    return session;
  }

  /** Marks as used; insertion order in the map is the order of use. */
  touch(session: FetchSession, nowMs: number): void {
    session.advance(nowMs);
    this.sessions.delete(session.id);
    this.sessions.set(session.id, session);
  }

  private evict(nowMs: number): boolean {
    for (const session of this.sessions.values()) {
      if (nowMs - session.lastUsedMs <= this.evictAfterMs) return false;
      this.sessions.delete(session.id);
      return true;
    }
    return false;
  }
}
