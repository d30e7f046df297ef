import { KafkaError } from '../../protocol/errors.ts';
import { SaslAuthenticateRequest, SaslAuthenticateResponse } from '../../protocol/messages/36-sasl-authenticate.ts';
import { handler } from './handler.ts';

/** SaslAuthenticate (KIP-152): on a listener without SASL everybody is in already. */
export const saslAuthenticate = handler({
  request: SaslAuthenticateRequest,
  response: SaslAuthenticateResponse,
  versions: [0, 2],

  handle() {
    throw new KafkaError('ILLEGAL_SASL_STATE', 'SaslAuthenticate request received after successful authentication');
  },

  failed: (_request, errorCode, errorMessage) => ({ errorCode, errorMessage, authBytes: Buffer.alloc(0) }),
});
