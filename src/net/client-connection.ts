import type { Socket } from 'node:net';
import { FrameSplitter } from '../../protocol/frame.ts';
import { MalformedError } from '../../protocol/malformed.ts';
import { CloseConnection } from '../api/close-connection.ts';
import type { Connection } from '../api/connection.ts';
import type { Clock, Logger } from '../env.ts';
import type { Dispatcher, Frame } from './dispatch.ts';
import { ResponseOrder } from './response-order.ts';
import { ResponseWriter } from './response-writer.ts';
import { withSharedReads } from './shared-reads.ts';

const PRODUCE_KEY = 0;
/** So many produces of one connection may be under way. Clients send five; one that sends more waits in its socket. */
const MAX_PRODUCES = 64;

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
 * one waits (a long poll), the next ones stay in the socket's buffers, which is also the back-pressure. Only produces may be
 * under way together, so that their batches can be written together (`GatheredAppends`).
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
  private readonly order = new ResponseOrder();
  /** A request waits that may have no other one beside it. */
  private waitsAlone = false;
  /** Taken from the splitter, but those under way have to be answered before. */
  private next: Buffer | null = null;
  private resuming = false;
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
    return this.order.length === 0;
  }

  /** Unused for too long: ends, or is cut where the client does not even take its last response. */
  expire(): void {
    if (this.responses.isBusy()) this.destroy();
    else this.end();
  }

  /** Answers what is being handled, reads nothing more, then closes with a FIN. */
  end(): void {
    this.closing = true;
    if (this.idle()) this.responses.end();
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
      while (this.canHandle()) {
        const frame = this.takeFrame();
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

  private canHandle(): boolean {
    return !this.closing && !this.isFull();
  }

  private isFull(): boolean {
    return this.waitsAlone || this.responses.isBusy() || this.order.length >= MAX_PRODUCES;
  }

  /** The next frame that may be handled now. */
  private takeFrame(): Buffer | null {
    const frame = this.next ?? this.splitter.next();
    this.next = null;
    if (frame === null || this.order.length === 0 || isProduce(frame)) return frame;
    this.next = Buffer.from(frame);
    return null;
  }

  private handle(frame: Buffer): void {
    // only a produce is done with its bytes when its handler returns; others may keep views of theirs
    const isShared = isProduce(frame);
    const outcome = this.options.dispatcher.dispatch(this, isShared ? frame : Buffer.from(frame));
    // its batches are in the log or copied: the frame may be used again
    if (isShared) this.splitter.recycle(frame);
    if (!(outcome instanceof Promise) && this.idle()) {
      this.queue(outcome);
      return;
    }
    const place = this.order.reserve();
    if (!(outcome instanceof Promise)) {
      this.order.settle(place, outcome);
      return;
    }
    this.waitsAlone = !isShared;
    outcome.then(
      (response) => {
        this.order.settle(place, response);
        this.resumeSoon();
      },
      (error) => this.refuse(error),
    );
  }

  /** Once for all responses that come in this turn. */
  private resumeSoon(): void {
    if (this.resuming) return;
    this.resuming = true;
    process.nextTick(() => this.resume());
  }

  private resume(): void {
    this.resuming = false;
    for (let response = this.order.next(); response !== undefined; response = this.order.next()) this.queue(response);
    if (this.idle()) this.waitsAlone = false;
    this.work();
    if (this.closing && this.idle()) this.responses.end();
  }

  /** Stops reading while requests pile up behind those that wait. */
  private holdBack(): void {
    const full = this.next !== null || (this.splitter.hasBuffered() && this.isFull());
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

const isProduce = (frame: Buffer): boolean => frame.length > 1 && frame.readInt16BE(0) === PRODUCE_KEY;
