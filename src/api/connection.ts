/** What a handler may know of the connection that a request came in on. */
export interface Connection {
  /** Unique in this process; Kafka's connection id has the form host:port-host:port-index. */
  readonly id: string;
  readonly clientHost: string;
  /** What to do when the connection goes away while one of its requests waits. */
  readonly onGone: Set<() => void>;
  readonly listenerName: string;
  /** 'User:ANONYMOUS' on a listener without authentication. */
  readonly principal: string;
  /** From ApiVersions v3+ (KIP-511); null until then. */
  clientSoftware: { readonly name: string; readonly version: string } | null;
}
