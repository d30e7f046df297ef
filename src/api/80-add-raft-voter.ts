import { KafkaError } from '../../protocol/errors.ts';
import { AddRaftVoterRequest, AddRaftVoterResponse } from '../../protocol/messages/80-add-raft-voter.ts';
import { handler } from './handler.ts';
import { checkVoter, mustBeDynamic, named, voters } from './quorum-of-one.ts';

/**
 * AddRaftVoter (KIP-853). A new voter has to have fetched the metadata log up to its end before; nobody can fetch it here, so every other
 * node gets the refusal of one that lags behind.
 */
export const addRaftVoter = handler({
  request: AddRaftVoterRequest,
  response: AddRaftVoterResponse,
  versions: [0, 1],

  handle({ broker }, request) {
    checkVoter(broker, 'Add', request);
    const [listener] = broker.config().listeners.controllerListenerNames;
    if (!request.listeners.some(({ name }) => name === listener)) {
      const given = request.listeners.map(
        ({ name, host, port }) => `ListenerName(${name})=${host}/<unresolved>:${port}`,
      );
      const message = `Add voter request didn't include the endpoint (Endpoints(endpoints={${given.join(', ')}})) for the default listener ListenerName(${listener})`;
      throw new KafkaError('INVALID_REQUEST', message);
    }
    mustBeDynamic(broker, 'adding');
    if (broker.controller.quorum().voters.some(({ id }) => id === request.voterId)) {
      const message = `The voter id for ${named(request)} is already part of the set of voters ${voters(broker)}.`;
      throw new KafkaError('DUPLICATE_VOTER', message);
    }
    const message = `Aborted add voter operation for ${named(request)} since it is lagging behind`;
    throw new KafkaError('REQUEST_TIMED_OUT', message);
  },

  failed: (_request, errorCode, errorMessage) => ({ errorCode, errorMessage }),
});
