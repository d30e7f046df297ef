import { KafkaError } from '../../protocol/errors.ts';
import { SaslHandshakeRequest, SaslHandshakeResponse } from '../../protocol/messages/17-sasl-handshake.ts';
import { handler } from './handler.ts';

/** SaslHandshake (KIP-43): on a listener without SASL it comes at the wrong time. */
export const saslHandshake = handler({
  request: SaslHandshakeRequest,
  response: SaslHandshakeResponse,
  versions: [0, 1],

  handle() {
    throw new KafkaError('ILLEGAL_SASL_STATE');
  },

  failed: (_request, errorCode) => ({ errorCode, mechanisms: [] }),
});
