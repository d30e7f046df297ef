import { KafkaError } from '../../protocol/errors.ts';
import { RemoveRaftVoterRequest, RemoveRaftVoterResponse } from '../../protocol/messages/81-remove-raft-voter.ts';
import { handler } from './handler.ts';
import { checkVoter, mustBeDynamic, named, voters } from './quorum-of-one.ts';

/** RemoveRaftVoter (KIP-853): the last voter stays. */
export const removeRaftVoter = handler({
  request: RemoveRaftVoterRequest,
  response: RemoveRaftVoterResponse,
  versions: [0, 0],

  handle({ broker }, request) {
    checkVoter(broker, 'Remove', request);
    mustBeDynamic(broker, 'removing');
    const message = `Cannot remove voter ${named(request)} from the set of voters ${voters(broker)}`;
    throw new KafkaError('VOTER_NOT_FOUND', message);
  },

  failed: (_request, errorCode, errorMessage) => ({ errorCode, errorMessage }),
});
