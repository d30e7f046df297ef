import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FrameSplitter, requestFrame } from '../../protocol/frame.ts';
import { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts';
import { MetadataRequest, MetadataResponse } from '../../protocol/messages/03-metadata.ts';
import type { Broker } from '../../src/api/broker.ts';
import { CloseConnection } from '../../src/api/close-connection.ts';
import { handler } from '../../src/api/handler.ts';
import { ConnectionLimits } from '../../src/net/connection-limits.ts';
import { Dispatcher } from '../../src/net/dispatch.ts';
import { Listener } from '../../src/net/listener.ts';
import { systemClock } from '../../src/system-env.ts';
import { CollectingLogger } from '../support/loggers.ts';

type Answer = { responses: never[] } | null;

/** What was asked for, in order; each produce is answered by hand. */
let asked: string[];
let produces: { answer(response?: Answer): void; fail(error: unknown): void }[];
const logger = new CollectingLogger();

const produce = handler({
  request: ProduceRequest,
  response: ProduceResponse,
  versions: [9, 9],
  handle(): Promise<Answer> {
    asked.push('produce');
    return new Promise((resolve, reject) => {
      produces.push({ answer: (response = { responses: [] }) => resolve(response), fail: reject });
    });
  },
  failed: () => null,
});
const metadata = handler({
  request: MetadataRequest,
  response: MetadataResponse,
  versions: [9, 9],
  handle() {
    asked.push('metadata');
    return {};
  },
  failed: () => ({}),
});

let listener: Listener;
let socket: Socket;
let received: number[];

beforeEach(async () => {
  asked = [];
  produces = [];
  received = [];
  listener = await Listener.bind({
    name: 'PLAINTEXT',
    host: '127.0.0.1',
    port: 0,
    maxFrameBytes: 1_000_000,
    maxIdleMs: 60_000,
    backlog: 10,
    limits: new ConnectionLimits({ maxConnections: 10, maxPerIp: 10, maxPerIpOverrides: new Map() }),
    clock: systemClock,
    logger,
  });
  listener.serve(new Dispatcher([produce, metadata], { logger } as unknown as Broker));
  socket = connect({ host: '127.0.0.1', port: listener.port() });
  await once(socket, 'connect');
  const splitter = new FrameSplitter(1_000_000);
  socket.on('data', (chunk) => {
    splitter.push(chunk);
    for (let frame = splitter.next(); frame !== null; frame = splitter.next()) received.push(frame.readInt32BE(0));
  });
});
afterEach(async () => {
  socket.destroy();
  await listener.close(0);
});

const produceFrame = (id: number): Buffer => Buffer.concat(requestFrame(ProduceRequest, 9, id, 'test', { acks: 1 }));
const metadataFrame = (id: number): Buffer => Buffer.concat(requestFrame(MetadataRequest, 9, id, 'test', {}));
const until = (check: () => void) => vi.waitFor(check, { timeout: 4000, interval: 5 });
const pause = () => new Promise((resolve) => setTimeout(resolve, 50));

it('produces of one connection are under way together and answered in order', async () => {
  socket.write(Buffer.concat([1, 2, 3].map(produceFrame)));
  await until(() => expect(produces.length).toBe(3));
  produces[2].answer();
  produces[1].answer();
  await pause();
  expect(received).toEqual([]);
  produces[0].answer();
  await until(() => expect(received).toEqual([1, 2, 3]));
});

it('another request waits for the produces before it, and those behind it for it', async () => {
  socket.write(Buffer.concat([produceFrame(1), produceFrame(2), metadataFrame(3), produceFrame(4)]));
  await until(() => expect(produces.length).toBe(2));
  await pause();
  expect(asked).toEqual(['produce', 'produce']);
  produces[0].answer();
  await until(() => expect(received).toEqual([1]));
  expect(asked).toEqual(['produce', 'produce']);
  produces[1].answer();
  await until(() => expect(received).toEqual([1, 2, 3]));
  expect(asked).toEqual(['produce', 'produce', 'metadata', 'produce']);
  produces[2].answer();
  await until(() => expect(received).toEqual([1, 2, 3, 4]));
});

it('no more than 64 are under way, and the rest are handled as these are answered', async () => {
  const ids = [...Array(200).keys()];
  socket.write(Buffer.concat(ids.map(produceFrame)));
  await until(() => expect(produces.length).toBe(64));
  await pause();
  for (let i = 0; i < 200; i++) {
    await until(() => expect(produces.length).toBeGreaterThan(i));
    expect(produces.length).toBeLessThanOrEqual(64 + i);
    produces[i].answer();
  }
  await until(() => expect(received).toEqual(ids));
});

it('a produce without a response leaves no gap', async () => {
  socket.write(Buffer.concat([1, 2, 3].map(produceFrame)));
  await until(() => expect(produces.length).toBe(3));
  for (const [i, one] of produces.entries()) one.answer(i === 1 ? null : { responses: [] });
  await until(() => expect(received).toEqual([1, 3]));
});

it('one that closes the connection does so behind the responses before it', async () => {
  const closed = once(socket, 'close');
  socket.write(Buffer.concat([1, 2, 3].map(produceFrame)));
  await until(() => expect(produces.length).toBe(3));
  produces[0].answer();
  await until(() => expect(received).toEqual([1]));
  produces[1].fail(new CloseConnection('Produce with acks=0 failed'));
  await closed;
  produces[2].answer();
  await pause();
  expect(received).toEqual([1]);
  expect(logger.lines.some(({ message }) => message.includes('acks=0'))).toBe(true);
});

it('a connection that is to end answers what is under way', async () => {
  socket.write(Buffer.concat([1, 2].map(produceFrame)));
  await until(() => expect(produces.length).toBe(2));
  const closed = once(socket, 'close');
  const stopped = listener.close(5000);
  await pause();
  for (const one of produces) one.answer();
  await closed;
  await stopped;
  expect(received).toEqual([1, 2]);
});
