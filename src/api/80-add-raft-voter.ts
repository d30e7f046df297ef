import { KafkaError } from '../../protocol/errors.ts';
import { AddRaftVoterRequest, AddRaftVoterResponse } from '../../protocol/messages/80-add-raft-voter.ts';
import { handler } from './handler.ts';
import { checkVoter, staticVoters } from './quorum-of-one.ts';

/** AddRaftVoter (KIP-853): the quorum has the voters that it was started with. */
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
    throw staticVoters('adding');
  },

  failed: (_request, errorCode, errorMessage) => ({ errorCode, errorMessage }),
});
