import { isIP } from 'node:net';

/** max.connections and its like, as they are in force; counts of connections. */
export interface Limits {
  readonly maxConnections: number;
  readonly maxPerIp: number;
  /** By address; what is not here has `maxPerIp`. */
  readonly maxPerIpOverrides: ReadonlyMap<string, number>;
}

/** What the limits need to know of a connection. */
export interface LimitedConnection {
  readonly clientHost: string;
  readonly lastActiveMs: number;
  end(): void;
}

/**
 * The connections of a broker, over all its listeners. Kafka treats the two limits differently, and so does this: one beyond
 * max.connections waits until another one closes; one beyond max.connections.per.ip is closed at once.
 */
export class ConnectionLimits {
  private limits: Limits;
  private readonly open = new Set<LimitedConnection>();
  private readonly perHost = new Map<string, number>();
  private readonly waiting = new Set<() => void>();

  constructor(limits: Limits) {
    this.limits = limits;
  }

  hasRoom(): boolean {
    return this.open.size < this.limits.maxConnections;
  }

  allows(host: string): boolean {
    const max = this.limits.maxPerIpOverrides.get(host) ?? this.limits.maxPerIp;
    return (this.perHost.get(host) ?? 0) < max;
  }

  add(connection: LimitedConnection): void {
    this.open.add(connection);
    this.perHost.set(connection.clientHost, (this.perHost.get(connection.clientHost) ?? 0) + 1);
  }

  remove(connection: LimitedConnection): void {
    if (!this.open.delete(connection)) return;
    const left = (this.perHost.get(connection.clientHost) ?? 1) - 1;
    if (left > 0) this.perHost.set(connection.clientHost, left);
    else this.perHost.delete(connection.clientHost);
    this.wake();
  }

  /** Calls `task` whenever there may be room again. */
  onRoom(task: () => void): void {
    this.waiting.add(task);
  }

  /** Other limits from now on. Where there are more connections than allowed, those that were silent longest are closed. */
  change(limits: Limits): void {
    this.limits = limits;
    const surplus = this.open.size - limits.maxConnections;
    if (surplus > 0) {
      const silentFirst = [...this.open].sort((a, b) => a.lastActiveMs - b.lastActiveMs);
      for (const connection of silentFirst.slice(0, surplus)) connection.end();
    }
    this.wake();
  }

  private wake(): void {
    if (this.hasRoom()) for (const task of this.waiting) task();
  }
}

/** An IPv4 client of a socket that listens for both families comes as ::ffff:a.b.c.d; Kafka knows it as a.b.c.d. */
export function hostOf(remoteAddress: string | undefined): string {
  const address = remoteAddress ?? '';
  const mapped = /^::ffff:(.*)$/i.exec(address);
  return mapped !== null && isIP(mapped[1]) === 4 ? mapped[1] : address;
}

/**
 * max.connections.per.ip.overrides, `host:count` separated by commas, by address. Names are resolved by `lookup`, and what it throws is
 * thrown; the form has been checked with the rest of the configuration.
 */
export async function parseOverrides(
  text: string,
  lookup: (host: string) => Promise<string>,
): Promise<ReadonlyMap<string, number>> {
  const overrides = new Map<string, number>();
  for (const entry of text.split(',').map((part) => part.trim())) {
    if (entry === '') continue;
    const colon = entry.lastIndexOf(':');
    const host = entry.slice(0, colon).trim();
    overrides.set(isIP(host) > 0 ? host : await lookup(host), Number(entry.slice(colon + 1)));
  }
  return overrides;
}
