/** The states of a transactional id, with the numbers that the log keeps (TransactionState). */
export type TransactionState =
  | 'Empty'
  | 'Ongoing'
  | 'PrepareCommit'
  | 'PrepareAbort'
  | 'CompleteCommit'
  | 'CompleteAbort'
  | 'Dead'
  | 'PrepareEpochFence';

const STATES: readonly TransactionState[] = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
];

/** The states from which each state is entered. Those that name none are never written (Kafka keeps them in memory only). */
const MAY_FOLLOW: Readonly<Record<TransactionState, readonly TransactionState[]>> = {
  Empty: ['Empty', 'CompleteCommit', 'CompleteAbort'],
  Ongoing: ['Ongoing', 'Empty', 'CompleteCommit', 'CompleteAbort'],
  PrepareCommit: ['Ongoing'],
  PrepareAbort: ['Ongoing', 'Empty', 'CompleteCommit', 'CompleteAbort'],
  CompleteCommit: ['PrepareCommit'],
  CompleteAbort: ['PrepareAbort'],
  Dead: [],
  PrepareEpochFence: [],
};

export const stateId = (state: TransactionState): number => STATES.indexOf(state);

/** Undefined for a number that Kafka does not know. */
export const stateOf = (id: number): TransactionState | undefined => STATES[id];

export const isState = (name: string): name is TransactionState => (STATES as readonly string[]).includes(name);

export const mayFollow = (state: TransactionState, before: TransactionState): boolean =>
  MAY_FOLLOW[state].includes(before);

/** The outcome is decided and the markers are on their way: nothing else may happen to the transaction. */
export const isCompleting = (state: TransactionState): boolean => state === 'PrepareCommit' || state === 'PrepareAbort';
