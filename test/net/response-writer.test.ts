import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DeferredBytes, Piece } from '../../protocol/deferred-bytes.ts';
import { ResponseWriter } from '../../src/net/response-writer.ts';
import { libc } from '../../storage/index.ts';
import { SeededRandom } from '../support/seeded-random.ts';

const FILE_BYTES = 12 * 1024 * 1024;
let directory: string;
let file: Buffer;
let descriptor: number;
let server: Server;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'odradek-send-'));
  const path = join(directory, 'file');
  const random = new SeededRandom(1);
  const content = Buffer.alloc(FILE_BYTES);
  for (let at = 0; at < FILE_BYTES; at += 4) content.writeUInt32LE(random.int(2 ** 31), at);
  writeFileSync(path, content);
  file = readFileSync(path);
  descriptor = openSync(path, 'r');
  server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  server.close();
  closeSync(descriptor);
  rmSync(directory, { recursive: true });
});

/** Bytes `start` to `start + length` of the file; with `isOpen` the kernel may move them. */
function slice(start: number, length: number, isOpen: boolean): DeferredBytes {
  return {
    length,
    copyTo: (target, from) => void readSync(descriptor, target, 0, target.length, start + from),
    moveTo: (socket, from, size) =>
      isOpen ? Math.max(0, libc()?.sendfile(socket, descriptor, start + from, size) ?? 0) : null,
    load: () => null,
  };
}

const asBytes = (pieces: readonly Piece[]): Buffer =>
  Buffer.concat(
    pieces.map((piece) => {
      if (piece instanceof Uint8Array) return piece;
      const bytes = Buffer.alloc(piece.length);
      piece.copyTo(bytes, 0);
      return bytes;
    }),
  );

/** A connection: the writer at one end, what has come at the other, which begins to read when told. */
class Pair {
  drains = 0;
  readonly failures: unknown[] = [];
  readonly received: Buffer[] = [];
  writer!: ResponseWriter;
  accepted!: Socket;
  readonly client = new Socket();
  ended: Promise<void> = new Promise((resolve) => this.client.once('close', () => resolve()));

  static async open(): Promise<Pair> {
    const pair = new Pair();
    const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
    pair.client.on('data', (chunk) => pair.received.push(chunk)).pause();
    pair.client.on('error', () => {});
    pair.client.connect((server.address() as { port: number }).port, '127.0.0.1');
    pair.accepted = await accepted;
    pair.accepted.on('error', () => {});
    pair.writer = new ResponseWriter(pair.accepted, {
      onDrain: () => {
        pair.drains += 1;
      },
      onFailure: (error) => {
        pair.failures.push(error);
        pair.accepted.destroy();
      },
    });
    return pair;
  }

  send(pieces: readonly Piece[]): void {
    this.writer.queue(pieces);
    this.writer.flush();
  }

  async readToEnd(): Promise<Buffer> {
    this.client.resume();
    await this.ended;
    return Buffer.concat(this.received);
  }
}

describe('the writer of responses', () => {
  let pair: Pair;
  beforeEach(async () => {
    pair = await Pair.open();
  });

  it('has the call that moves files to sockets, on Linux', () => {
    expect(libc() !== null).toBe(process.platform === 'linux');
  });

  it.each([
    ['through a buffer', false],
    ['by the kernel', true],
  ])('sends what stands in a file %s, in order with what does not', async (_how, isOpen) => {
    const random = new SeededRandom(isOpen ? 7 : 8);
    const sizes = [0, 1, 100, 20_000, 300_000, 3_000_000];
    const pieces: Piece[] = [];
    for (let i = 0; i < 40; i++) {
      const size = random.int(sizes[random.int(sizes.length)] + 1);
      const start = random.int(FILE_BYTES - size);
      pieces.push(random.int(2) === 0 ? slice(start, size, isOpen) : file.subarray(start, start + size));
    }
    pair.send(pieces);
    pair.writer.end();
    expect((await pair.readToEnd()).equals(asBytes(pieces))).toBe(true);
    expect(pair.failures).toEqual([]);
  });

  it('is busy until the client has taken a large response, and says so then', async () => {
    pair.send([Buffer.from('first'), slice(0, FILE_BYTES, true)]);
    expect(pair.writer.isBusy()).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([pair.writer.isBusy(), pair.drains]).toEqual([true, 0]);
    pair.client.resume();
    while (pair.drains === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(pair.writer.isBusy()).toBe(false);
    pair.send([Buffer.from('second')]);
    pair.writer.end();
    const all = await pair.readToEnd();
    expect([all.length, all.subarray(-6).toString()]).toEqual([5 + FILE_BYTES + 6, 'second']);
  });

  it('holds no more of a large response in memory than a buffer, for a client that does not read', async () => {
    pair.send(Array.from({ length: 8 }, () => slice(0, FILE_BYTES, false)));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(pair.accepted.writableLength).toBeLessThanOrEqual(128 * 1024);
    pair.accepted.destroy();
    await pair.readToEnd();
  });

  it('waits for what has to come off the disk, part after part, while others go on', async () => {
    const loads: [number, number][] = [];
    let others = 0;
    const cold: DeferredBytes = {
      ...slice(0, 3_000_000, true),
      load: (from, sizeBytes) => {
        loads.push([from, sizeBytes]);
        expect(pair.accepted.writableLength).toBeLessThanOrEqual(128 * 1024);
        return new Promise((resolve) => setTimeout(resolve, 5));
      },
    };
    const timer = setInterval(() => others++, 1);
    pair.send([Buffer.from('head'), cold]);
    pair.writer.end();
    expect((await pair.readToEnd()).subarray(4).equals(file.subarray(0, 3_000_000))).toBe(true);
    clearInterval(timer);
    const part = 1024 * 1024;
    expect(loads).toEqual([
      [0, part],
      [part, part],
      [2 * part, 3_000_000 - 2 * part],
    ]);
    expect(others).toBeGreaterThan(5);
  });

  it('goes on in the file where the kernel cannot', async () => {
    const isDirectory = openSync(directory, 'r');
    const odd: DeferredBytes = {
      ...slice(5, 500_000, true),
      moveTo: (socket, _from, size) => Math.max(0, libc()?.sendfile(socket, isDirectory, 0, size) ?? 0),
    };
    pair.send([odd]);
    pair.writer.end();
    expect((await pair.readToEnd()).equals(file.subarray(5, 500_005))).toBe(true);
    closeSync(isDirectory);
  });

  it('breaks off where the bytes are gone', async () => {
    const gone: DeferredBytes = {
      length: 1_000_000,
      copyTo: (target, from) => {
        if (from > 200_000) throw new Error('gone');
        target.fill(1);
      },
      moveTo: () => null,
      load: () => null,
    };
    pair.send([Buffer.from('head'), gone, Buffer.from('tail')]);
    const received = await pair.readToEnd();
    expect(pair.failures).toEqual([new Error('gone')]);
    expect(received.length).toBeLessThan(1_000_000);
    expect(pair.writer.isBusy()).toBe(false);
  });

  it('gives up when the client goes away in the middle', async () => {
    pair.send([slice(0, FILE_BYTES, true), slice(0, FILE_BYTES, false)]);
    pair.client.destroy();
    while (pair.writer.isBusy()) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(pair.failures).toEqual([]);
  });
});
