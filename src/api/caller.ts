import type { Caller } from '../group/caller.ts';
import type { RequestContext } from './handler.ts';

/** The client as groups know it; a missing client id is an empty one, and the host is in Java's form. */
export function callerOf(context: RequestContext): Caller {
  const { clientId, apiVersion, connection } = context;
  return { clientId: clientId ?? '', clientHost: `/${connection.clientHost}`, apiVersion };
}
