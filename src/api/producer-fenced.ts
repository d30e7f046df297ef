import { ErrorCode } from '../../protocol/errors.ts';

/** PRODUCER_FENCED (KIP-588) as clients before `sinceVersion` of an API know it. */
export function fencedCode(errorCode: number, apiVersion: number, sinceVersion: number): number {
  const isKnown = apiVersion >= sinceVersion || errorCode !== ErrorCode.PRODUCER_FENCED;
  return isKnown ? errorCode : ErrorCode.INVALID_PRODUCER_EPOCH;
}

/** The same for a whole response. */
export function fencedAs(apiVersion: number, sinceVersion: number) {
  return <T extends { readonly errorCode: number }>(response: T): T => ({
    ...response,
    errorCode: fencedCode(response.errorCode, apiVersion, sinceVersion),
  });
}
