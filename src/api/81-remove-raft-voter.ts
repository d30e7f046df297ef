import { RemoveRaftVoterRequest, RemoveRaftVoterResponse } from '../../protocol/messages/81-remove-raft-voter.ts';
import { handler } from './handler.ts';
import { checkVoter, staticVoters } from './quorum-of-one.ts';

/** RemoveRaftVoter (KIP-853): the quorum has the voters that it was started with. */
export const removeRaftVoter = handler({
  request: RemoveRaftVoterRequest,
  response: RemoveRaftVoterResponse,
  versions: [0, 0],

  handle({ broker }, request) {
    checkVoter(broker, 'Remove', request);
    throw staticVoters('removing');
  },

  failed: (_request, errorCode, errorMessage) => ({ errorCode, errorMessage }),
});
