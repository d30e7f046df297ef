import { KafkaError } from '../../protocol/errors.ts';
import {
  ExpireDelegationTokenRequest,
  ExpireDelegationTokenResponse,
} from '../../protocol/messages/40-expire-delegation-token.ts';
import { handler } from './handler.ts';

/** ExpireDelegationToken (KIP-48): not for a connection that has not authenticated. */
export const expireDelegationToken = handler({
  request: ExpireDelegationTokenRequest,
  response: ExpireDelegationTokenResponse,
  versions: [1, 2],

  handle() {
    throw new KafkaError('DELEGATION_TOKEN_REQUEST_NOT_ALLOWED');
  },

  failed: (_request, errorCode) => ({ errorCode, expiryTimestampMs: -1 }),
});
