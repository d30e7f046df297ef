import { CloseConnection } from './close-connection.ts';

/** What Kafka says to changes of ACLs where nothing would enforce them. */
export const NO_AUTHORIZER = 'No Authorizer is configured.';

const UNKNOWN = 0;

/** Kafka takes a request with a type that it does not know (code 0) for a broken one and closes the connection. */
export function refuseUnknown(api: string, codes: readonly number[]): void {
  if (codes.includes(UNKNOWN)) throw new CloseConnection(`${api} contains UNKNOWN elements`);
}
