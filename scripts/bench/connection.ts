import { connect, type Socket } from 'node:net';

const READ_BUFFER_BYTES = 256 * 1024;
/** For connections that carry little: a thousand of them are open at a time. */
const SMALL_READ_BUFFER_BYTES = 8 * 1024;
const REQUEST_TIMEOUT_MS = 60_000;

/**
 * A socket that cuts the answers out of the stream. Answers come in the order of the requests, so no correlation table is
 * needed: `onResponse` gets the payload after the correlation id, valid only during the call (the memory is used again).
 */
export class Connection {
  readonly socket: Socket;
  private readonly onResponse: (payload: Buffer) => void;
  /** Holds a frame that spans chunks; grows to the largest. */
  private frameBuffer = Buffer.allocUnsafe(1024);
  private have = 0;

  constructor(
    port: number,
    onResponse: (payload: Buffer) => void,
    onFailure: (error: Error) => void,
    readBufferBytes = READ_BUFFER_BYTES,
  ) {
    this.onResponse = onResponse;
    this.socket = connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafe(readBufferBytes),
        callback: (bytes, chunk) => {
          try {
            this.take(chunk as Buffer, bytes);
          } catch (error) {
            this.socket.destroy();
            onFailure(error as Error);
          }
          return true;
        },
      },
    });
    this.socket.on('error', onFailure);
    this.socket.on('end', () => onFailure(new Error('the broker closed the connection')));
  }

  /** Whole frames inside a chunk are handed out where they lie; only a frame that spans chunks is copied. */
  private take(chunk: Buffer, sizeBytes: number): void {
    let at = 0;
    while (at < sizeBytes) {
      const rest = sizeBytes - at;
      if (this.have === 0 && rest >= 4) {
        const frameBytes = 4 + chunk.readInt32BE(at);
        if (rest >= frameBytes) {
          this.onResponse(chunk.subarray(at + 8, at + frameBytes));
          at += frameBytes;
          continue;
        }
      }
      at += this.collect(chunk, at, sizeBytes);
    }
  }

  private collect(chunk: Buffer, at: number, end: number): number {
    const wanted = this.have < 4 ? 4 : 4 + this.frameBuffer.readInt32BE(0);
    if (wanted > this.frameBuffer.length) {
      const grown = Buffer.allocUnsafe(wanted);
      this.frameBuffer.copy(grown, 0, 0, this.have);
      this.frameBuffer = grown;
    }
    const copied = chunk.copy(this.frameBuffer, this.have, at, Math.min(end, at + wanted - this.have));
    this.have += copied;
    if (this.have >= 8 && this.have === 4 + this.frameBuffer.readInt32BE(0)) {
      this.have = 0;
      this.onResponse(this.frameBuffer.subarray(8, wanted));
    }
    return copied;
  }

  write(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  close(): void {
    this.socket.removeAllListeners('end');
    this.socket.destroy();
  }
}

/** A connection for one request after the other. */
export class Caller {
  private readonly connection: Connection;
  private waiting: { resolve: (payload: Buffer) => void; reject: (error: Error) => void } | undefined;
  private failure: Error | undefined;

  constructor(port: number) {
    this.connection = new Connection(
      port,
      (payload) => {
        const waiting = this.waiting;
        this.waiting = undefined;
        waiting?.resolve(Buffer.from(payload));
      },
      (error) => {
        this.failure = error;
        this.waiting?.reject(error);
        this.waiting = undefined;
      },
      SMALL_READ_BUFFER_BYTES,
    );
  }

  /** Sends a whole request frame and gives the payload of the answer. Fails after a minute or when the broker hangs up. */
  call(request: Buffer): Promise<Buffer> {
    if (this.failure) return Promise.reject(this.failure);
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const timer = setTimeout(() => reject(new Error(`no answer in ${REQUEST_TIMEOUT_MS} ms`)), REQUEST_TIMEOUT_MS);
    this.waiting = { resolve, reject };
    this.connection.write(request);
    return promise.finally(() => clearTimeout(timer));
  }

  close(): void {
    this.connection.close();
  }
}
