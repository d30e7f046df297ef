import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { crc32c } from '@node-rs/crc32';

// The few forms that hand-made requests need, written here again on purpose: no line of the broker judges itself.

const fixed = (size: number, write: (buffer: Buffer) => void): Buffer => {
  const buffer = Buffer.alloc(size);
  write(buffer);
  return buffer;
};
export const int8 = (value: number): Buffer => fixed(1, (b) => b.writeInt8(value));
export const int16 = (value: number): Buffer => fixed(2, (b) => b.writeInt16BE(value));
export const int32 = (value: number): Buffer => fixed(4, (b) => b.writeInt32BE(value));
export const int64 = (value: number): Buffer => fixed(8, (b) => b.writeBigInt64BE(BigInt(value)));
export const string = (value: string): Buffer => Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)]);
export const compactString = (value: string): Buffer =>
  Buffer.concat([Buffer.from([Buffer.byteLength(value) + 1]), Buffer.from(value)]);
export const nullString = int16(-1);
export const noTags = Buffer.from([0]);

/** A request with header v1 (key, version, correlation id, client id), without the length in front. */
export const request = (apiKey: number, version: number, correlationId: number, ...body: Buffer[]): Buffer =>
  Buffer.concat([int16(apiKey), int16(version), int32(correlationId), string('raw'), ...body]);

/** The same with header v2, which ends in tagged fields. */
export const flexibleRequest = (apiKey: number, version: number, correlationId: number, ...body: Buffer[]): Buffer =>
  request(apiKey, version, correlationId, noTags, ...body);

export const framed = (message: Buffer): Buffer => Buffer.concat([int32(message.length), message]);

export type BatchOptions = { magic?: number; crc?: number; recordCount?: number };

/** A batch of version 2 with one record: no key, the given value of less than 50 bytes, no headers. */
export function recordBatch(value: string, { magic = 2, crc, recordCount = 1 }: BatchOptions = {}): Buffer {
  const content = Buffer.from(value);
  // attributes, timestamp delta, offset delta, key length -1, value length, value, header count; varints are zigzag.
  const record = Buffer.concat([Buffer.from([0, 0, 0, 1, content.length * 2]), content, Buffer.from([0])]);
  const now = Date.now();
  const checked = Buffer.concat([
    ...[int16(0), int32(recordCount - 1), int64(now), int64(now), int64(-1), int16(-1), int32(-1), int32(recordCount)],
    ...[Buffer.from([record.length * 2]), record],
  ]);
  const checksum = fixed(4, (b) => b.writeUInt32BE(crc ?? crc32c(checked)));
  const rest = Buffer.concat([int32(-1), int8(magic), checksum, checked]);
  return Buffer.concat([int64(0), int32(rest.length), rest]);
}

/** The body of Produce v7 for one partition. */
export const produceBody = (topic: string, acks: number, records: Buffer): Buffer =>
  Buffer.concat([
    ...[nullString, int16(acks), int32(5000), int32(1), string(topic), int32(1), int32(0)],
    ...[int32(records.length), records],
  ]);

/** The error code in an answer of Produce v7 for one partition. */
export const produceError = (answer: Buffer): number => answer.readInt16BE(8 + 2 + answer.readInt16BE(8) + 8);

/** A TCP connection that speaks bytes. */
export class RawConnection {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #closed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      socket.emit('news');
    });
    // A reset is one of the ways in which a broker hangs up.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#closed = true;
      socket.emit('news');
    });
    socket.on('end', () => {
      this.#closed = true;
      socket.emit('news');
    });
  }

  static async open(bootstrapServers: string): Promise<RawConnection> {
    const [host, port] = bootstrapServers.split(':');
    const socket = createConnection({ host, port: Number(port), noDelay: true });
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** Sends a message with its length in front. */
  send(message: Buffer): void {
    this.write(framed(message));
  }

  /** The next answer without its length: it begins with the correlation id. 'closed' when the broker hung up instead. */
  async answer(timeoutMs = 10_000): Promise<Buffer | 'closed'> {
    const timer = AbortSignal.timeout(timeoutMs);
    for (;;) {
      const length = this.#received.length >= 4 ? this.#received.readInt32BE(0) : Number.POSITIVE_INFINITY;
      if (this.#received.length >= 4 + length) {
        const answer = this.#received.subarray(4, 4 + length);
        this.#received = this.#received.subarray(4 + length);
        return answer;
      }
      if (this.#closed) return 'closed';
      await once(this.#socket, 'news', { signal: timer });
    }
  }

  /** The next answer, which must be one. */
  async bytes(): Promise<Buffer> {
    const answer = await this.answer();
    if (answer === 'closed') throw new Error('the broker closed the connection instead of an answer');
    return answer;
  }

  /** Ends our direction of the connection. */
  end(): void {
    this.#socket.end();
  }

  close(): void {
    this.#socket.destroy();
  }
}
