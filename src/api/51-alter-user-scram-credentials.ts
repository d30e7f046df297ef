import {
  AlterUserScramCredentialsRequest,
  AlterUserScramCredentialsResponse,
} from '../../protocol/messages/51-alter-user-scram-credentials.ts';
import { handler } from './handler.ts';

/** AlterUserScramCredentials (KIP-554): kept in the metadata log. */
export const alterUserScramCredentials = handler({
  request: AlterUserScramCredentialsRequest,
  response: AlterUserScramCredentialsResponse,
  versions: [0, 0],

  handle: (context, request) => context.broker.controller.alterUserScramCredentials(request),

  failed(request, errorCode, errorMessage) {
    const users = new Set([...request.deletions, ...request.upsertions].map(({ name }) => name));
    return { results: [...users].map((user) => ({ user, errorCode, errorMessage })) };
  },
});
