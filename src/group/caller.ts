/** Who sends a request. */
export interface Caller {
  readonly clientId: string;
  readonly clientHost: string;
  readonly apiVersion: number;
}
