import {
  DescribeUserScramCredentialsRequest,
  DescribeUserScramCredentialsResponse,
} from '../../protocol/messages/50-describe-user-scram-credentials.ts';
import { describeUserScramCredentials as describe } from '../controller/scram-control.ts';
import { handler } from './handler.ts';

/** DescribeUserScramCredentials (KIP-554): mechanisms and iterations, never keys. */
export const describeUserScramCredentials = handler({
  request: DescribeUserScramCredentialsRequest,
  response: DescribeUserScramCredentialsResponse,
  versions: [0, 0],

  handle: (context, request) => describe(context.broker.image(), request),

  failed: (_request, errorCode, errorMessage) => ({ errorCode, errorMessage, results: [] }),
});
