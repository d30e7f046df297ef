import { KafkaError } from '../../protocol/errors.ts';
import {
  DescribeDelegationTokenRequest,
  DescribeDelegationTokenResponse,
} from '../../protocol/messages/41-describe-delegation-token.ts';
import { handler } from './handler.ts';

/** DescribeDelegationToken (KIP-48): not for a connection that has not authenticated. */
export const describeDelegationToken = handler({
  request: DescribeDelegationTokenRequest,
  response: DescribeDelegationTokenResponse,
  versions: [1, 3],

  handle() {
    throw new KafkaError('DELEGATION_TOKEN_REQUEST_NOT_ALLOWED');
  },

  failed: (_request, errorCode) => ({ errorCode, tokens: [] }),
});
