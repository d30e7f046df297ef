import {
  DescribeClientQuotasRequest,
  DescribeClientQuotasResponse,
} from '../../protocol/messages/48-describe-client-quotas.ts';
import { describeClientQuotas as describe } from '../controller/quota-control.ts';
import { handler } from './handler.ts';

/** DescribeClientQuotas (KIP-546). */
export const describeClientQuotas = handler({
  request: DescribeClientQuotasRequest,
  response: DescribeClientQuotasResponse,
  versions: [0, 1],

  handle: (context, request) => describe(context.broker.image(), request),

  failed: (_request, errorCode, errorMessage) => ({ errorCode, errorMessage, entries: null }),
});
