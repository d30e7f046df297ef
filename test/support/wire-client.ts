import { connect, type Socket } from 'node:net';
import { codec } from '../../protocol/compile.ts';
import { FrameSplitter, requestFrame } from '../../protocol/frame.ts';
import { responseHeaderVersion } from '../../protocol/header.ts';
import { Reader } from '../../protocol/reader.ts';
import type { Fields, InputOf, Message, MessageOf, ReadOf } from '../../protocol/schema.ts';

/** A client that says just what a test tells it to, over a real socket. */
export class WireClient {
  private readonly socket: Socket;
  private readonly splitter = new FrameSplitter(200 * 1024 * 1024);
  private readonly waiting: ((frame: Buffer | null) => void)[] = [];
  private readonly arrived: Buffer[] = [];
  private correlationId = 0;
  clientId: string | null = 'test';
  readonly closed: Promise<void>;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.splitter.push(chunk as Buffer);
      for (let frame = this.splitter.next(); frame !== null; frame = this.splitter.next()) this.deliver(frame);
    });
    socket.on('error', () => {});
    this.closed = new Promise((resolve) =>
      socket.on('close', () => {
        for (const wake of this.waiting.splice(0)) wake(null);
        resolve();
      }),
    );
  }

  static connect(bootstrapServers: string): Promise<WireClient> {
    const [host, port] = bootstrapServers.split(':');
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), host, () => resolve(new WireClient(socket)));
      socket.once('error', reject);
    });
  }

  private deliver(frame: Buffer): void {
    const wake = this.waiting.shift();
    if (wake === undefined) this.arrived.push(frame);
    else wake(frame);
  }

  /** Bytes as they are. */
  write(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  /** The next frame that comes, null where the connection is closed first. */
  frame(): Promise<Buffer | null> {
    const arrived = this.arrived.shift();
    if (arrived !== undefined) return Promise.resolve(arrived);
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Sends a request that has no response. */
  send<M extends Message>(message: M, version: number, body: InputOf<M>): number {
    const id = this.correlationId++;
    const frame = requestFrame(message as Message<Fields>, version, id, this.clientId, body);
    this.socket.write(Buffer.concat(frame));
    return id;
  }

  /** Sends a request and reads its response. Throws where the connection is closed instead. */
  async request<Q extends Message, R extends Message>(
    api: { request: Q; response: R },
    version: number,
    body: InputOf<Q>,
  ): Promise<MessageOf<R>> {
    const next = this.frame();
    this.send(api.request, version, body);
    const frame = await next;
    if (frame === null) throw new Error(`connection closed instead of ${api.response.name}`);
    return this.read(api.response, version, frame) as MessageOf<R>;
  }

  private read(message: Message, version: number, frame: Buffer): ReadOf<Fields> {
    const reader = new Reader(frame);
    reader.int32();
    if (responseHeaderVersion(message.apiKey as number, version) > 0) reader.skipTags();
    return codec(message, version).read(reader);
  }

  close(): Promise<void> {
    this.socket.end();
    return this.closed;
  }
}
