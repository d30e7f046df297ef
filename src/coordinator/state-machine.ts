/**
 * The contract of a coordinator's state machine (DESIGN decision 6). One instance holds the state of one partition of the
 * internal topic. It is pure: time is an argument, timers are asked for by name, nothing waits. Durable state changes only
 * in `replay`, so that a new leader which replays the log comes to the same state.
 */
import type { KafkaError } from '../../protocol/errors.ts';
import type { CoordinatorRecord, EndMarker, InTransaction, StoredRecord } from './log.ts';

/** What an operation comes to: records to be written, and a response for when they are committed. */
export interface Outcome<R, T> {
  /** Appended as one batch, then replayed; may be empty. */
  readonly records: readonly R[];
  readonly response: T;
  /** The producer's transaction that the records are part of. */
  readonly within?: InTransaction;
  /** Appended in place of records, then told to the machine by `ended`. */
  readonly marker?: EndMarker;
  /** Goes on from here once the records are committed and replayed; what it comes to takes the place of this outcome. */
  readonly next?: (nowMs: number) => Outcome<R, T>;
  /** Puts right what the operation assumed, where the records could not be written. */
  readonly failed?: (error: KafkaError, nowMs: number) => void;
}

/** `R`: the records of the machine; `E`: the events of its timers. */
export interface StateMachine<R, E> {
  /** The record in Kafka's binary form. */
  encode(record: R): CoordinatorRecord;
  /** Applies a committed record; `offset` is its place in the log, `within` the transaction that it is part of. */
  replay(record: R, offset: number, within: InTransaction | null): void;
  /** A producer's transaction has ended in this partition. */
  ended?(marker: EndMarker): void;
  /** Decodes and applies one record of the log while the partition is loaded. */
  load(record: StoredRecord): void;
  /** The state is complete; timers may be set now. */
  loaded(nowMs: number): void;
  /** The partition is no longer ours: whoever still waits for a response is to be told. */
  unloaded(): void;
  /** What the event is about (a group, a transactional id): operations on one subject run one after the other. */
  subjectOf(event: E): string;
  /** A timer has come. */
  expired(event: E, nowMs: number): Outcome<R, void>;
}

const NO_RECORDS: readonly never[] = [];

/** The outcome of an operation that writes nothing. */
export function answered<T>(response: T): Outcome<never, T> {
  return { records: NO_RECORDS, response };
}

/** The outcome of an operation that writes nothing and answers elsewhere or not at all. */
export const DONE: Outcome<never, void> = answered(undefined);
