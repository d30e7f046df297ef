import { MAX_KRAFT_VERSION, type Voter } from '../../src/raft/quorum.ts';

export const DIRECTORY_ID = 'L64uJ7GGjJQoJZ-BUlDDQA';

/** A voter that listens for the quorum at one port. */
export const voter = (id: number, port = 9093, directoryId = DIRECTORY_ID): Voter => ({
  id,
  directoryId,
  endpoints: [{ name: 'CONTROLLER', host: 'localhost', port }],
  minKraftVersion: 0,
  maxKraftVersion: MAX_KRAFT_VERSION,
});
