/**
 * The consensus core of KRaft (KIP-595): who leads in which epoch, what is appended at which offset, what is committed. It is a state
 * machine without clock, disk or network: each call takes what has happened and gives what is to be done (`Effects`), in that order.
 * The driver (driver.ts) does it and comes back with `flushed`.
 *
 * The quorum has one voter so far, which is an ordinary case: it needs nobody's vote but its own, so it wins at once, and what it has
 * flushed itself is committed. Votes and offsets of others have no way in yet.
 */
import { isSameVoter, type Quorum, type Voter } from './quorum.ts';
import type { QuorumHistory } from './quorum-history.ts';

export type Role = 'unattached' | 'candidate' | 'leader';

/** What a voter must not forget (quorum-state.ts). */
export interface QuorumState {
  /** -1: none is known. */
  readonly leaderId: number;
  readonly leaderEpoch: number;
  /** Ids; with kraft.version 1 they need not be remembered here. */
  readonly voters: readonly number[];
  /** Decides the form in which the state is kept. */
  readonly kraftVersion: number;
}

export type Entry =
  /**
   * The first entry of each epoch (LeaderChangeMessage); by it the leader commits what earlier ones left. With it the quorum, where the
   * log does not say it as it is; null: it does.
   */
  | {
      readonly type: 'leader-change';
      readonly leaderId: number;
      readonly voters: readonly number[];
      readonly quorum: Quorum | null;
    }
  /** The log has the voters from here on (KIP-853). */
  | { readonly type: 'quorum'; readonly quorum: Quorum }
  /** Records of the state machine above, committed all or none. */
  | { readonly type: 'records'; readonly values: readonly Buffer[] };

/** An entry with its place in the log. A leader change takes one offset, a quorum two, records one each. */
export interface Append {
  readonly baseOffset: number;
  readonly leaderEpoch: number;
  readonly timestampMs: number;
  readonly entry: Entry;
}

/** What is to be done, in the order of the fields. */
export interface Effects {
  /** To be on disk before anything that follows; null: unchanged. */
  readonly quorumState: QuorumState | null;
  /** To be appended; `flushed` is owed when it is on disk. */
  readonly appends: readonly Append[];
  /** Everything below is committed now; null: as before. */
  readonly highWatermark: number | null;
}

export type Input =
  /** A client of the leader wants records in the log. */
  | { readonly type: 'propose'; readonly values: readonly Buffer[]; readonly nowMs: number }
  /** The voters shall stand in the log, for a later kraft.version. */
  | { readonly type: 'upgrade'; readonly kraftVersion: number; readonly nowMs: number }
  /** The log of this node is on disk up to `endOffset`. */
  | { readonly type: 'flushed'; readonly endOffset: number }
  /** The log did not take what was to be appended, and still ends at `endOffset`. */
  | { readonly type: 'refused'; readonly endOffset: number };

export interface CoreOptions {
  /** This node as a voter. Without endpoints it has nothing to say of where it listens. */
  readonly local: Voter;
  /** What log and configuration say of the quorum; the core goes on with it. */
  readonly history: QuorumHistory;
  /** The highest epoch that the quorum state or the log knows. */
  readonly leaderEpoch: number;
  readonly logEndOffset: number;
}

const NOTHING: Effects = { quorumState: null, appends: [], highWatermark: null };
/** The offsets that kraft.version and voters take. */
const QUORUM_OFFSETS = 2;

export class RaftCore {
  private readonly local: Voter;
  private readonly history: QuorumHistory;
  private currentRole: Role = 'unattached';
  private epoch: number;
  private endOffset: number;
  /** Where this epoch began: only entries from here on are committed by counting (Raft, 5.4.2). */
  private epochStartOffset = -1;
  private committed = -1;
  private readonly votes = new Set<number>();
  /** How far each voter's log is on disk, as far as the leader knows. */
  private readonly flushedOffsets = new Map<number, number>();

  constructor(options: CoreOptions) {
    const { local, history } = options;
    this.local = local;
    this.history = history;
    const { voters, nodeId } = this;
    if (voters.length !== 1 || voters[0] !== nodeId) {
      throw new RangeError(`node ${nodeId} can only be a quorum of itself, not of ${voters.join(', ')}`);
    }
    this.epoch = options.leaderEpoch;
    this.endOffset = options.logEndOffset;
  }

  /** As the log says it by now, committed or not. */
  get quorum(): Quorum {
    return this.history.last;
  }

  /** As it was behind the record at `offset`. */
  quorumAt(offset: number): Quorum {
    return this.history.at(offset);
  }

  private get nodeId(): number {
    return this.local.id;
  }

  private get voters(): readonly number[] {
    return this.quorum.voters.map(({ id }) => id);
  }

  get role(): Role {
    return this.currentRole;
  }

  get leaderEpoch(): number {
    return this.epoch;
  }

  get logEndOffset(): number {
    return this.endOffset;
  }

  /** All below is committed; -1 before the first entry of this epoch is. */
  get highWatermark(): number {
    return this.committed;
  }

  /** Lets time work. The only voter has nobody to wait for: without a leader it stands for election at once. */
  tick(nowMs: number): Effects {
    return this.currentRole === 'unattached' ? this.campaign(nowMs) : NOTHING;
  }

  step(input: Input): Effects {
    switch (input.type) {
      case 'propose':
        return this.propose(input.values, input.nowMs);
      case 'upgrade':
        return this.upgrade(input.kraftVersion, input.nowMs);
      case 'flushed':
        return this.flushed(input.endOffset);
      case 'refused':
        this.endOffset = input.endOffset;
        this.history.truncate(input.endOffset);
        return NOTHING;
    }
  }

  private campaign(nowMs: number): Effects {
    this.currentRole = 'candidate';
    this.epoch += 1;
    this.votes.clear();
    this.votes.add(this.nodeId);
    return isMajority(this.votes.size, this.voters.length) ? this.lead(nowMs) : NOTHING;
  }

  private lead(nowMs: number): Effects {
    this.currentRole = 'leader';
    this.epochStartOffset = this.endOffset;
    const { nodeId: leaderId, voters, epoch: leaderEpoch } = this;
    const { kraftVersion } = this.quorum;
    const quorum = this.quorumToWrite();
    const offsets = quorum === null ? 1 : 1 + QUORUM_OFFSETS;
    const append = this.append({ type: 'leader-change', leaderId, voters, quorum }, offsets, nowMs);
    return { quorumState: { leaderId, leaderEpoch, voters, kraftVersion }, appends: [append], highWatermark: null };
  }

  /** Where the voters belong into the log, a new leader sees to it that they are there, and itself as it is now (KIP-853). */
  private quorumToWrite(): Quorum | null {
    const { kraftVersion, voters } = this.quorum;
    if (kraftVersion === 0) return null;
    const updated = this.updatedVoters();
    const isUpToDate = this.history.isInLog && updated.every((voter, i) => isSameVoter(voter, voters[i]));
    return isUpToDate ? null : { kraftVersion, voters: updated };
  }

  /** With this node as it is now; where it has no endpoints of its own, it keeps those that are known of it. */
  private updatedVoters(): Voter[] {
    const { local } = this;
    return this.quorum.voters.map((known) => {
      if (known.id !== local.id) return known;
      return local.endpoints.length > 0 ? local : { ...local, endpoints: known.endpoints };
    });
  }

  private upgrade(kraftVersion: number, nowMs: number): Effects {
    this.mustLead();
    const current = this.quorum;
    if (kraftVersion < current.kraftVersion) throw new RangeError(`kraft.version ${kraftVersion} would be a downgrade`);
    if (kraftVersion === current.kraftVersion) return NOTHING;
    const quorum = { kraftVersion, voters: this.updatedVoters() };
    return { ...NOTHING, appends: [this.append({ type: 'quorum', quorum }, QUORUM_OFFSETS, nowMs)] };
  }

  private mustLead(): void {
    if (this.currentRole !== 'leader') throw new Error(`node ${this.nodeId} does not lead the quorum`);
  }

  private propose(values: readonly Buffer[], nowMs: number): Effects {
    this.mustLead();
    if (values.length === 0) throw new RangeError('no records');
    return { ...NOTHING, appends: [this.append({ type: 'records', values }, values.length, nowMs)] };
  }

  private append(entry: Entry, offsets: number, timestampMs: number): Append {
    const baseOffset = this.endOffset;
    this.endOffset += offsets;
    if (entry.type !== 'records' && entry.quorum !== null) this.history.add(this.endOffset - 1, entry.quorum);
    return { baseOffset, leaderEpoch: this.epoch, timestampMs, entry };
  }

  private flushed(endOffset: number): Effects {
    if (endOffset > this.endOffset) throw new RangeError(`flushed to ${endOffset}, beyond the end ${this.endOffset}`);
    this.flushedOffsets.set(this.nodeId, Math.max(endOffset, this.flushedOffsets.get(this.nodeId) ?? 0));
    const highWatermark = majorityOffset(this.voters.map((id) => this.flushedOffsets.get(id) ?? 0));
    const isOfThisEpoch = this.currentRole === 'leader' && highWatermark > this.epochStartOffset;
    if (!isOfThisEpoch || highWatermark <= this.committed) return NOTHING;
    this.committed = highWatermark;
    return { ...NOTHING, highWatermark };
  }
}

function isMajority(count: number, of: number): boolean {
  return count > of / 2;
}

/** The highest offset that more than half of these have reached. */
function majorityOffset(offsets: readonly number[]): number {
  const descending = [...offsets].sort((a, b) => b - a);
  return descending[Math.floor(descending.length / 2)];
}
