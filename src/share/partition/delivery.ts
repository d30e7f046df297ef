import { RecordState, type StateBatch } from '../state-batch.ts';

/** Nobody has the record. */
export const NO_MEMBER = '';

/** How one record, or a run of records that share everything, stands with its group. */
export class Delivery {
  state: RecordState;
  /** How often it has been handed out. */
  deliveryCount: number;
  memberId: string;
  /** When the member loses it; null where nobody has it. */
  lockedUntilMs: number | null;
  /** Under way to being written, and what to go back to should that fail. */
  private pending: { readonly transition: Transition; readonly state: RecordState; readonly memberId: string } | null =
    null;
  /** The record is gone from the log: no failed write brings it back. */
  private isGone = false;

  constructor(
    state: RecordState,
    deliveryCount: number,
    memberId: string = NO_MEMBER,
    lockedUntilMs: number | null = null,
  ) {
    this.state = state;
    this.deliveryCount = deliveryCount;
    this.memberId = memberId;
    this.lockedUntilMs = lockedUntilMs;
  }

  get isPending(): boolean {
    return this.pending !== null;
  }
  /** Free to be handed out. */
  get isAvailable(): boolean {
    return this.state === RecordState.AVAILABLE && !this.isPending;
  }
  /** Never to be handed out again, written or about to be. */
  get isDone(): boolean {
    return this.state === RecordState.ACKNOWLEDGED || this.state === RecordState.ARCHIVED;
  }

  /** The member has it from now on. Only for one that is available. */
  acquire(memberId: string, lockedUntilMs: number): void {
    this.state = RecordState.ACQUIRED;
    this.deliveryCount++;
    this.memberId = memberId;
    this.lockedUntilMs = lockedUntilMs;
  }

  /** Takes it from its member at once, without the way back: the lock is over. */
  settle(state: RecordState, deliveryLimit: number): void {
    this.state = this.allowed(state, deliveryLimit);
    this.memberId = NO_MEMBER;
    this.lockedUntilMs = null;
  }

  /** The same as part of a transition. The lock goes on running until that is over. */
  begin(state: RecordState, deliveryLimit: number, transition: Transition): void {
    this.pending = { transition, state: this.state, memberId: this.memberId };
    this.state = this.allowed(state, deliveryLimit);
    this.memberId = NO_MEMBER;
  }

  commit(): void {
    this.pending = null;
    this.lockedUntilMs = null;
  }

  /** Back to the member, or, where its time has run out meanwhile, to whoever comes. */
  rollBack(nowMs: number, deliveryLimit: number): void {
    const before = this.pending;
    this.pending = null;
    if (before === null || this.isGone) return;
    if (this.lockedUntilMs !== null && this.lockedUntilMs <= nowMs) {
      this.settle(RecordState.AVAILABLE, deliveryLimit);
    } else {
      this.state = before.state;
      this.memberId = before.memberId;
    }
  }

  /** The record is not to be delivered any more, whatever comes. */
  archive(): void {
    this.isGone = true;
    this.settle(RecordState.ARCHIVED, 0);
  }

  /** One that stands as this one does, and shares its transition. */
  copy(): Delivery {
    const copy = new Delivery(this.state, this.deliveryCount, this.memberId, this.lockedUntilMs);
    copy.isGone = this.isGone;
    copy.pending = this.pending;
    this.pending?.transition.deliveries.push(copy);
    return copy;
  }

  /** What has been handed out too often is not handed out again. */
  private allowed(state: RecordState, deliveryLimit: number): RecordState {
    return state === RecordState.AVAILABLE && this.deliveryCount >= deliveryLimit ? RecordState.ARCHIVED : state;
  }
}

/** Deliveries that change together once the share coordinator has written it. */
export class Transition {
  readonly deliveries: Delivery[] = [];
  /** What is to be written. */
  readonly stateBatches: StateBatch[] = [];

  get isEmpty(): boolean {
    return this.stateBatches.length === 0;
  }

  begin(delivery: Delivery, state: RecordState, deliveryLimit: number, firstOffset: number, lastOffset: number): void {
    delivery.begin(state, deliveryLimit, this);
    this.deliveries.push(delivery);
    this.stateBatches.push(stateBatch(delivery, firstOffset, lastOffset));
  }
}

export function stateBatch(delivery: Delivery, firstOffset: number, lastOffset: number): StateBatch {
  const { state: deliveryState, deliveryCount } = delivery;
  return { firstOffset, lastOffset, deliveryState, deliveryCount };
}
