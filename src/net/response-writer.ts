import type { Socket } from 'node:net';
import { isDeferred, type Piece } from '../../protocol/deferred-bytes.ts';
import { giveBackSendBuffer, takeSendBuffer } from './send-buffers.ts';

/** Responses up to this size are joined into one buffer: one write is cheaper than a vector of small ones. */
const JOIN_UP_TO_BYTES = 64 * 1024;
/** So much is copied where a socket is full, to learn when it has room again. */
const WAIT_WITH_BYTES = 16 * 1024;
/** From so many bytes on, a file's bytes are worth a system call of their own. */
const SEND_FILE_FROM_BYTES = 16 * 1024;
/** So much of a file is sent at a time: looked for in the page cache, and got off the disk in the background where it is not there. */
const FILE_PART_BYTES = 1024 * 1024;
/** A client that takes all that it is sent at once lets the others have a turn after so much. */
const TURN_BYTES = 2 * 1024 * 1024;

export interface ResponseWriterEvents {
  /** The client has taken what was queued: there is room for the next response. */
  onDrain(): void;
  /** Deferred bytes could not be fetched; the stream of responses breaks off within one. */
  onFailure(error: unknown): void;
}

/**
 * The sending side of a connection. Pieces in memory are handed to the socket as they are. Where some stand in files, the kernel moves
 * those, or the response goes through a buffer of fixed size as the client takes it: a slow client costs that buffer, however large its
 * response.
 */
export class ResponseWriter {
  private readonly socket: Socket;
  private readonly events: ResponseWriterEvents;
  private pieces: Piece[] = [];
  private sizeBytes = 0;
  /** How many of the pieces are deferred. */
  private deferred = 0;
  /** Bytes of the first piece that are sent. */
  private sentOfFirst = 0;
  /** Bytes of the first piece that are known to be at hand, where it is deferred. */
  private loadedOfFirst = 0;
  /** The socket holds a send buffer, or the next turn is scheduled. */
  private sending = false;
  private ending = false;

  constructor(socket: Socket, events: ResponseWriterEvents) {
    this.socket = socket;
    this.events = events;
    socket.on('drain', () => {
      if (!this.isBusy()) events.onDrain();
    });
  }

  /** True while the client has not taken enough of what was sent before: the next response has to wait. */
  isBusy(): boolean {
    return this.sending || this.deferred > 0 || this.socket.writableNeedDrain;
  }

  /** True when so much is queued that it is to be sent before another response is made. */
  isFull(): boolean {
    return this.sizeBytes > JOIN_UP_TO_BYTES;
  }

  queue(pieces: readonly Piece[]): void {
    for (const piece of pieces) {
      this.pieces.push(piece);
      this.sizeBytes += piece.length;
      if (isDeferred(piece)) this.deferred += 1;
    }
  }

  /** Sends what is queued, as far as the client takes it; the rest follows by itself. */
  flush(): void {
    if (this.pieces.length === 0 || this.sending) return;
    if (this.deferred > 0) this.pump();
    else this.writeAll(this.pieces as Buffer[]);
  }

  /** A FIN after all that is queued. */
  end(): void {
    this.ending = true;
    if (!this.sending && this.deferred === 0) this.socket.end();
  }

  private writeAll(buffers: readonly Buffer[]): void {
    if (buffers.length === 1) this.socket.write(buffers[0]);
    else if (this.sizeBytes <= JOIN_UP_TO_BYTES) this.socket.write(Buffer.concat(buffers, this.sizeBytes));
    else {
      this.socket.cork();
      for (const buffer of buffers) this.socket.write(buffer);
      this.socket.uncork();
    }
    this.pieces = [];
    this.sizeBytes = 0;
  }

  /** Part after part, until the client does not take more at once or the turn is over. */
  private pump(): void {
    try {
      for (let inTurn = 0; this.pieces.length > 0 && !this.sending; ) {
        if (this.socket.destroyed) this.drop();
        else if (inTurn >= TURN_BYTES) this.pause();
        else if (!this.waitForDisk()) inTurn += this.sendPart();
      }
    } catch (error) {
      this.drop();
      this.events.onFailure(error);
    }
  }

  /** True where the next part of a file has to come off the disk: the pump goes on when it is there. */
  private waitForDisk(): boolean {
    const [piece] = this.pieces;
    if (!isDeferred(piece) || this.sentOfFirst < this.loadedOfFirst) return false;
    const sizeBytes = Math.min(piece.length - this.sentOfFirst, FILE_PART_BYTES);
    this.loadedOfFirst = this.sentOfFirst + sizeBytes;
    const loading = piece.load(this.sentOfFirst, sizeBytes);
    if (loading === null) return false;
    this.sending = true;
    // what cannot be read now cannot be read when it is sent either, and is told there
    loading.catch(() => {}).then(() => this.goOn());
    return true;
  }

  private pause(): void {
    this.sending = true;
    setImmediate(() => this.goOn());
  }

  /** Gives the bytes that went, or went into a buffer. */
  private sendPart(): number {
    const moved = this.moveFromFile();
    if (moved === null) return this.sendBuffer(Number.POSITIVE_INFINITY);
    if (moved > 0) return moved;
    // Only Node can tell when the socket has room again, and does so by what it was given to write.
    return this.sendBuffer(WAIT_WITH_BYTES);
  }

  /** Lets the kernel move bytes of the first piece; gives their number, 0 where the socket is full, null where they have to be copied. */
  private moveFromFile(): number | null {
    const [piece] = this.pieces;
    const left = this.loadedOfFirst - this.sentOfFirst;
    if (!isDeferred(piece) || left < SEND_FILE_FROM_BYTES || this.socket.writableLength > 0) return null;
    const socket = descriptorOf(this.socket);
    const moved = socket < 0 ? null : piece.moveTo(socket, this.sentOfFirst, left);
    if (moved !== null && moved > 0) this.sent(moved);
    return moved;
  }

  /**
   * Sends a buffer full of the queue; gives its size in bytes. Where the kernel does not take all of it at once, the buffer is the socket's
   * until it is sent, and the pump goes on then.
   */
  private sendBuffer(atMostBytes: number): number {
    const buffer = takeSendBuffer();
    const size = this.fill(buffer.subarray(0, Math.min(buffer.length, atMostBytes)));
    this.write(buffer, size);
    return size;
  }

  private goOn(): void {
    this.sending = false;
    this.pump();
    if (this.isBusy()) return;
    if (this.ending) this.socket.end();
    else this.events.onDrain();
  }

  private write(buffer: Buffer, size: number): void {
    let isKept = false;
    this.socket.write(buffer.subarray(0, size), () => {
      if (!isKept) return;
      giveBackSendBuffer(buffer);
      this.goOn();
    });
    isKept = this.socket.writableLength > 0;
    this.sending = isKept;
    if (!isKept) giveBackSendBuffer(buffer);
  }

  /** Moves as much of the queue into `target` as fits, up to what the kernel might move; gives its size in bytes. */
  private fill(target: Buffer): number {
    let at = 0;
    while (at < target.length && this.pieces.length > 0) {
      const [piece] = this.pieces;
      if (at > 0 && isDeferred(piece) && piece.length >= SEND_FILE_FROM_BYTES) break;
      const size = Math.min(target.length - at, piece.length - this.sentOfFirst);
      const part = target.subarray(at, at + size);
      if (isDeferred(piece)) piece.copyTo(part, this.sentOfFirst);
      else piece.copy(part, 0, this.sentOfFirst);
      at += size;
      this.sent(size);
    }
    return at;
  }

  private sent(sizeBytes: number): void {
    this.sentOfFirst += sizeBytes;
    if (this.sentOfFirst === this.pieces[0].length) this.removeFirst();
  }

  private removeFirst(): void {
    const piece = this.pieces.shift() as Piece;
    this.sizeBytes -= piece.length;
    this.sentOfFirst = 0;
    this.loadedOfFirst = 0;
    if (isDeferred(piece)) this.deferred -= 1;
  }

  private drop(): void {
    this.pieces = [];
    this.sizeBytes = 0;
    this.deferred = 0;
    this.sentOfFirst = 0;
    this.loadedOfFirst = 0;
  }
}

/** -1 for a socket that is closed or not the system's own (TLS). The descriptor of a socket has no public name. */
function descriptorOf(socket: Socket): number {
  const handle = (socket as unknown as { _handle: { fd?: number } | null })._handle;
  return handle?.fd ?? -1;
}
