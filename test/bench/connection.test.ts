import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Caller, Connection } from '../../scripts/bench/connection.ts';

let server: Server | undefined;

async function serve(onConnection: (socket: Socket) => void): Promise<number> {
  const listening = createServer(onConnection);
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const address = listening.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

const frame = (payload: string): Buffer => {
  const head = Buffer.alloc(8);
  head.writeInt32BE(4 + payload.length);
  return Buffer.concat([head, Buffer.from(payload)]);
};

afterEach(() => server?.close());

describe('the bench connection', () => {
  it('gives the same answers wherever the stream is cut', async () => {
    const long = 'x'.repeat(5000);
    const stream = Buffer.concat([frame('one'), frame(''), frame(long), frame('four')]);
    for (const size of [1, 3, 7, 13, 4096, stream.length]) {
      const port = await serve(async (socket) => {
        socket.setNoDelay(true);
        for (let at = 0; at < Math.min(stream.length, size * 40); at += size) {
          socket.write(stream.subarray(at, at + size));
          await new Promise((resolve) => setImmediate(resolve));
        }
        socket.write(stream.subarray(size * 40));
      });
      const answers: string[] = [];
      await new Promise<void>((resolve, reject) => {
        const take = (payload: Buffer): void => {
          answers.push(payload.toString());
          if (answers.length === 4) resolve(connection.close());
        };
        const connection = new Connection(port, take, reject);
      });
      expect(answers).toEqual(['one', '', long, 'four']);
      server?.close();
    }
  });

  it('fails the call that waits when the broker hangs up', async () => {
    const port = await serve((socket) => {
      socket.once('data', () => socket.end());
    });
    await expect(new Caller(port).call(frame('?'))).rejects.toThrow('closed');
  });

  it('fails the call when nobody listens', async () => {
    const port = await serve(() => {});
    await new Promise((resolve) => server?.close(resolve));
    await expect(new Caller(port).call(frame('?'))).rejects.toThrow('ECONNREFUSED');
  });
});
