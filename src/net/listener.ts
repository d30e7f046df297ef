import { createServer, type Server, type Socket } from 'node:net';
import type { Clock, Logger, Timer } from '../env.ts';
import { ClientConnection } from './client-connection.ts';
import { type ConnectionLimits, hostOf } from './connection-limits.ts';
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
  /** socket.listen.backlog.size: how many wait for the broker, or for another one to close, before they are refused. */
  backlog: number;
  /** Shared by all listeners of the broker. */
  limits: ConnectionLimits;
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
  private sweep: Timer | null = null;
  private dispatcher: Dispatcher | null = null;
  /** Accepted, not read from: the broker does not serve yet, or has as many connections as it may have. */
  private readonly waiting: Socket[] = [];
  private accepted = 0;

  private constructor(options: ListenerOptions) {
    this.options = options;
    this.server = createServer({ noDelay: true, keepAlive: true, pauseOnConnect: true }, (socket) =>
      this.accept(socket),
    );
    options.limits.onRoom(() => this.admitWaiting());
  }

  /** Binds; rejects with the system's error (EADDRINUSE and so on). */
  static bind(options: ListenerOptions): Promise<Listener> {
    const listener = new Listener(options);
    return new Promise((resolve, reject) => {
      listener.server.once('error', reject);
      listener.server.listen({ host: options.host || undefined, port: options.port, backlog: options.backlog }, () => {
        listener.server.removeListener('error', reject);
        listener.server.on('error', (err) => options.logger.error({ err }, `listener ${options.name} failed`));
        resolve(listener);
      });
    });
  }

  /** Begins to handle requests. */
  serve(dispatcher: Dispatcher): void {
    this.dispatcher = dispatcher;
    this.admitWaiting();
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
    for (const socket of this.waiting.splice(0)) socket.destroy();
    for (const connection of this.connections) connection.end();
    const cut = this.options.clock.after(graceMs, () => {
      for (const connection of this.connections) connection.destroy();
    });
    await closed;
    cut.cancel();
  }

  private accept(socket: Socket): void {
    if (this.waiting.length >= this.options.backlog) {
      this.refuse(socket, 'connection refused: too many');
      return;
    }
    this.waiting.push(socket);
    this.admitWaiting();
  }

  private admitWaiting(): void {
    while (this.dispatcher !== null && this.options.limits.hasRoom()) {
      const socket = this.waiting.shift();
      if (socket === undefined) return;
      this.admit(socket, this.dispatcher);
    }
  }

  private admit(socket: Socket, dispatcher: Dispatcher): void {
    const { name, maxFrameBytes, clock, logger, limits } = this.options;
    const clientHost = hostOf(socket.remoteAddress);
    if (!limits.allows(clientHost)) {
      this.refuse(socket, 'connection refused: too many from this address');
      return;
    }
    const id = `${socket.localAddress}:${socket.localPort}-${clientHost}:${socket.remotePort}-${this.accepted++}`;
    const onClose = (connection: ClientConnection) => this.forget(connection);
    const options = { id, clientHost, listenerName: name, maxFrameBytes, dispatcher, clock, logger, onClose };
    const connection = new ClientConnection(socket, options);
    this.connections.add(connection);
    limits.add(connection);
  }

  private refuse(socket: Socket, why: string): void {
    this.options.logger.warn({ peer: hostOf(socket.remoteAddress), connections: this.connections.size }, why);
    socket.destroy();
  }

  private forget(connection: ClientConnection): void {
    this.connections.delete(connection);
    this.options.limits.remove(connection);
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
