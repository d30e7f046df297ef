import type { Socket } from 'node:net';
import { FrameSplitter } from '../../protocol/frame.ts';
import { MalformedError } from '../../protocol/malformed.ts';
import { CloseConnection } from '../api/close-connection.ts';
import type { Connection } from '../api/connection.ts';
import type { Clock, Logger } from '../env.ts';
import type { Dispatcher, Frame } from './dispatch.ts';
import { ResponseWriter } from './response-writer.ts';
import { withSharedReads } from './shared-reads.ts';

const PRODUCE_KEY = 0;

export interface ConnectionOptions {
  id: string;
  clientHost: string;
  listenerName: string;
  maxFrameBytes: number;
  dispatcher: Dispatcher;
  clock: Clock;
  logger: Logger;
  onClose(connection: ClientConnection): void;
}

/**
 * One client's connection. Requests are handled one after the other and answered in order, as Apache Kafka does: while
 * one waits (a long poll, an fsync), the next ones stay in the socket's buffers, which is also the back-pressure.
 */
export class ClientConnection implements Connection {
  readonly id: string;
  readonly clientHost: string;
  readonly listenerName: string;
  readonly principal = 'User:ANONYMOUS';
  clientSoftware: { readonly name: string; readonly version: string } | null = null;
  lastActiveMs: number;
  /** Called when the connection is gone, so that what waits on its behalf can be dropped. */
  readonly onGone = new Set<() => void>();

  private readonly socket: Socket;
  private readonly options: ConnectionOptions;
  private readonly splitter: FrameSplitter;
  /** True while a request of this connection waits for its response. */
  private waiting = false;
  private closing = false;
  private readonly responses: ResponseWriter;

  constructor(accepted: Socket, options: ConnectionOptions) {
    const socket = withSharedReads(accepted, (chunk) => this.onData(chunk));
    this.socket = socket;
    this.options = options;
    this.id = options.id;
    this.listenerName = options.listenerName;
    this.clientHost = options.clientHost;
    this.splitter = new FrameSplitter(options.maxFrameBytes);
    this.lastActiveMs = options.clock.monotonicMs();
    socket.setNoDelay(true);
    this.responses = new ResponseWriter(socket, {
      onDrain: () => this.onDrain(),
      onFailure: (error) => this.breakOff(error),
    });
    socket.on('error', (err) => options.logger.debug({ peer: this.id, err }, 'connection failed'));
    socket.on('close', () => this.onClosed());
  }

  /** True while nothing is being handled for this connection. */
  idle(): boolean {
    return !this.waiting;
  }

  /** Unused for too long: ends, or is cut where the client does not even take its last response. */
  expire(): void {
    if (this.responses.isBusy()) this.destroy();
    else this.end();
  }

  /** Answers what is being handled, reads nothing more, then closes with a FIN. */
  end(): void {
    this.closing = true;
    if (!this.waiting) this.responses.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  private onData(chunk: Buffer): void {
    this.lastActiveMs = this.options.clock.monotonicMs();
    this.splitter.push(chunk);
    this.work();
    // the chunk's memory is not ours any longer
    this.splitter.keep();
  }

  /** Handles the frames at hand until one has to wait or the client does not take its responses. */
  private work(): void {
    try {
      while (!this.waiting && !this.closing && !this.responses.isBusy()) {
        const frame = this.splitter.next();
        if (frame === null) break;
        this.handle(frame);
        // many small requests may have large responses: no more are made than the client has taken
        if (this.responses.isFull()) this.responses.flush();
      }
    } catch (error) {
      this.refuse(error);
    }
    this.responses.flush();
    this.holdBack();
  }

  private handle(frame: Buffer): void {
    // only a produce is done with its bytes when it is answered; others may keep views of theirs
    const isProduce = frame.length > 1 && frame.readInt16BE(0) === PRODUCE_KEY;
    const outcome = this.options.dispatcher.dispatch(this, isProduce ? frame : Buffer.from(frame));
    if (!(outcome instanceof Promise)) {
      this.queue(outcome);
      // a produce that has been answered has left its bytes in the log: its frame may be used again
      if (isProduce) this.splitter.recycle(frame);
      return;
    }
    this.waiting = true;
    outcome.then(
      (response) => {
        this.waiting = false;
        this.queue(response);
        this.work();
        if (this.closing) this.responses.end();
      },
      (error) => this.refuse(error),
    );
  }

  /** Stops reading while requests pile up behind one that waits. */
  private holdBack(): void {
    const full = this.splitter.hasBuffered() && (this.waiting || this.responses.isBusy());
    if (full && !this.socket.isPaused()) this.socket.pause();
    else if (!full && this.socket.isPaused()) this.socket.resume();
  }

  private queue(frame: Frame): void {
    if (frame !== null) this.responses.queue(frame);
  }

  private onDrain(): void {
    this.lastActiveMs = this.options.clock.monotonicMs();
    this.work();
  }

  /** A response cannot be brought to its end, so nothing more can be said on this connection. */
  private breakOff(err: unknown): void {
    this.options.logger.error({ peer: this.id, err }, 'closing connection: the records of a response cannot be read');
    this.closing = true;
    this.destroy();
  }

  /** What cannot be answered ends the connection with one line that names the peer; nobody else suffers. */
  private refuse(error: unknown): void {
    const fields = { peer: this.id, clientSoftware: this.clientSoftware };
    if (error instanceof MalformedError || error instanceof CloseConnection) {
      this.options.logger.warn(fields, `closing connection: ${error.message}`);
    } else this.options.logger.error({ ...fields, err: error }, 'closing connection: unexpected failure');
    this.closing = true;
    this.responses.flush();
    this.socket.destroySoon();
  }

  private onClosed(): void {
    this.closing = true;
    for (const task of this.onGone) task();
    this.onGone.clear();
    this.options.onClose(this);
  }
}
