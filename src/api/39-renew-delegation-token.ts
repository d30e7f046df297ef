import { KafkaError } from '../../protocol/errors.ts';
import {
  RenewDelegationTokenRequest,
  RenewDelegationTokenResponse,
} from '../../protocol/messages/39-renew-delegation-token.ts';
import { handler } from './handler.ts';

/** RenewDelegationToken (KIP-48): not for a connection that has not authenticated. */
export const renewDelegationToken = handler({
  request: RenewDelegationTokenRequest,
  response: RenewDelegationTokenResponse,
  versions: [1, 2],

  handle() {
    throw new KafkaError('DELEGATION_TOKEN_REQUEST_NOT_ALLOWED');
  },

  failed: (_request, errorCode) => ({ errorCode, expiryTimestampMs: -1 }),
});
