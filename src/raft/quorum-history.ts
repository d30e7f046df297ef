/**
 * The quorum by offset (Kafka's KRaftControlRecordStateMachine): what counts is the last word in the log, committed or not (KIP-853), while
 * a snapshot has to say what held at its end.
 */
import type { ControlRecord } from '../../protocol/records/control.ts';
import { applyControl, type Quorum } from './quorum.ts';

interface Change {
  readonly offset: number;
  readonly quorum: Quorum;
}

export class QuorumHistory {
  private readonly configured: Quorum;
  /** By ascending offset. */
  private changes: Change[] = [];

  /** `configured` counts as long as the log says nothing. */
  constructor(configured: Quorum) {
    this.configured = configured;
  }

  get last(): Quorum {
    return this.changes.at(-1)?.quorum ?? this.configured;
  }

  /** Whether the log itself says it. What a new cluster was formatted with stands at -1, before the log. */
  get isInLog(): boolean {
    return (this.changes.at(-1)?.offset ?? -1) >= 0;
  }

  /** The quorum behind the record at `offset`. */
  at(offset: number): Quorum {
    return this.changes.findLast((change) => change.offset <= offset)?.quorum ?? this.configured;
  }

  /** The record at `offset` says it. */
  add(offset: number, quorum: Quorum): void {
    this.changes.push({ offset, quorum });
  }

  /** Takes a control record that was read at `offset`. */
  read(offset: number, control: ControlRecord): void {
    const quorum = applyControl(this.last, control);
    if (quorum !== this.last) this.add(offset, quorum);
  }

  /** The log ends at `endOffset` now. */
  truncate(endOffset: number): void {
    this.changes = this.changes.filter(({ offset }) => offset < endOffset);
  }
}
