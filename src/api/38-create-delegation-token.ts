import { ErrorCode } from '../../protocol/errors.ts';
import {
  CreateDelegationTokenRequest,
  CreateDelegationTokenResponse,
} from '../../protocol/messages/38-create-delegation-token.ts';
import { handler } from './handler.ts';

const NEVER = { issueTimestampMs: -1, expiryTimestampMs: -1, maxTimestampMs: -1 };

/** CreateDelegationToken (KIP-48): not for a connection that has not authenticated. */
export const createDelegationToken = handler({
  request: CreateDelegationTokenRequest,
  response: CreateDelegationTokenResponse,
  versions: [1, 3],

  handle(context, request) {
    const requester = principalOf(context.connection.principal);
    const isForOwner = request.ownerPrincipalName !== null && request.ownerPrincipalName !== '';
    return {
      errorCode: ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED,
      principalType: isForOwner ? (request.ownerPrincipalType ?? '') : requester.type,
      principalName: isForOwner ? (request.ownerPrincipalName ?? '') : requester.name,
      ...NEVER,
      ...(context.apiVersion >= 3
        ? { tokenRequesterPrincipalType: requester.type, tokenRequesterPrincipalName: requester.name }
        : {}),
    };
  },

  failed: (_request, errorCode) => ({ errorCode, ...NEVER }),
});

/** 'User:ANONYMOUS' in its two parts. */
function principalOf(principal: string): { type: string; name: string } {
  const colon = principal.indexOf(':');
  return { type: principal.slice(0, colon), name: principal.slice(colon + 1) };
}
