import { createServer, type Server, type Socket } from 'node:net';
import type { Clock, Logger, Timer } from '../env.ts';
import { ClientConnection } from './client-connection.ts';
import type { Dispatcher } from './dispatch.ts';

export interface ListenerOptions {
  name: string;
  host: string;
  /** 0 picks a free one. */
  port: number;
  /** socket.request.max.bytes: a larger frame closes its connection. */
  maxFrameBytes: number;
  /** connections.max.idle.ms: a connection without a request for this long is closed; -1: never. */
  maxIdleMs: number;
  /** max.connections and max.connections.per.ip: further ones are closed at once. */
  maxConnections: number;
  maxConnectionsPerIp: number;
  clock: Clock;
  logger: Logger;
}

/**
 * One listener of the broker. `bind` takes the port, so that a taken one shows at once and a picked one can be advertised;
 * connections that come before `serve` wait.
 */
export class Listener {
  private readonly options: ListenerOptions;
  private readonly server: Server;
  private readonly connections = new Set<ClientConnection>();
  private readonly perHost = new Map<string, number>();
  private sweep: Timer | null = null;
  private dispatcher: Dispatcher | null = null;
  private early: Socket[] = [];
  private accepted = 0;

  private constructor(options: ListenerOptions) {
    this.options = options;
    this.server = createServer({ noDelay: true, keepAlive: true, pauseOnConnect: true }, (socket) =>
      this.accept(socket),
    );
  }

  /** Binds; rejects with the system's error (EADDRINUSE and so on). */
  static bind(options: ListenerOptions): Promise<Listener> {
    const listener = new Listener(options);
    return new Promise((resolve, reject) => {
      listener.server.once('error', reject);
      listener.server.listen({ host: options.host || undefined, port: options.port, backlog: 1024 }, () => {
        listener.server.removeListener('error', reject);
        listener.server.on('error', (err) => options.logger.error({ err }, `listener ${options.name} failed`));
        resolve(listener);
      });
    });
  }

  /** Begins to handle requests. */
  serve(dispatcher: Dispatcher): void {
    this.dispatcher = dispatcher;
    for (const socket of this.early) this.accept(socket);
    this.early = [];
    this.sweepIdle();
  }

  get name(): string {
    return this.options.name;
  }
  get host(): string {
    return this.options.host;
  }
  port(): number {
    const address = this.server.address();
    return typeof address === 'object' && address !== null ? address.port : this.options.port;
  }
  connectionCount(): number {
    return this.connections.size;
  }

  /** Accepts nothing more; answers what is being handled; closes every connection; cuts those that take over `graceMs`. */
  async close(graceMs: number): Promise<void> {
    this.sweep?.cancel();
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const socket of this.early) socket.destroy();
    for (const connection of this.connections) connection.end();
    const cut = this.options.clock.after(graceMs, () => {
      for (const connection of this.connections) connection.destroy();
    });
    await closed;
    cut.cancel();
  }

  private accept(socket: Socket): void {
    if (this.dispatcher === null) {
      this.early.push(socket);
      return;
    }
    const host = socket.remoteAddress ?? '';
    const fromHost = (this.perHost.get(host) ?? 0) + 1;
    if (this.connections.size >= this.options.maxConnections || fromHost > this.options.maxConnectionsPerIp) {
      this.options.logger.warn({ peer: host, connections: this.connections.size }, 'connection refused: too many');
      socket.destroy();
      return;
    }
    this.perHost.set(host, fromHost);
    const id = `${socket.localAddress}:${socket.localPort}-${host}:${socket.remotePort}-${this.accepted++}`;
    const { name, maxFrameBytes, clock, logger } = this.options;
    const { dispatcher } = this;
    const onClose = (connection: ClientConnection) => this.forget(connection);
    this.connections.add(
      new ClientConnection(socket, { id, listenerName: name, maxFrameBytes, dispatcher, clock, logger, onClose }),
    );
  }

  private forget(connection: ClientConnection): void {
    this.connections.delete(connection);
    const left = (this.perHost.get(connection.clientHost) ?? 1) - 1;
    if (left > 0) this.perHost.set(connection.clientHost, left);
    else this.perHost.delete(connection.clientHost);
  }

  /** One timer for all connections: thousands of idle ones cost nothing in between. */
  private sweepIdle(): void {
    const { maxIdleMs, clock } = this.options;
    if (maxIdleMs < 0) return;
    this.sweep = clock.after(Math.max(1000, maxIdleMs / 10), () => {
      const before = clock.monotonicMs() - maxIdleMs;
      for (const connection of this.connections) {
        if (connection.idle() && connection.lastActiveMs < before) connection.expire();
      }
      this.sweepIdle();
    });
  }
}
