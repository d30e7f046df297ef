import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FrameSplitter, requestFrame } from '../../protocol/frame.ts';
import { FetchRequest, FetchResponse } from '../../protocol/messages/01-fetch.ts';
import type { Broker } from '../../src/api/broker.ts';
import { handler } from '../../src/api/handler.ts';
import { ConnectionLimits } from '../../src/net/connection-limits.ts';
import { Dispatcher } from '../../src/net/dispatch.ts';
import { Listener } from '../../src/net/listener.ts';
import { systemClock } from '../../src/system-env.ts';
import { CollectingLogger } from '../support/loggers.ts';

const MIB = 1024 * 1024;
const IDLE_MS = 500;
const VERSION = 11;

/** What the broker was asked for, by the topic in the request. */
let asked: string[];
let answerLater: (() => void)[];
const logger = new CollectingLogger();

/** A fetch of the topic `large` gives a mebibyte; one of `later` waits; any other gives nothing at once. */
const fetch = handler({
  request: FetchRequest,
  response: FetchResponse,
  versions: [VERSION, VERSION],
  handle(_context, { topics: [{ topic }] }) {
    asked.push(topic);
    if (topic === 'later') return new Promise((resolve) => answerLater.push(() => resolve({})));
    if (topic !== 'large') return {};
    const partitions = [{ partitionIndex: 0, highWatermark: 1, records: Buffer.alloc(MIB) }];
    return { responses: [{ topic, partitions }] };
  },
  failed: () => null,
});

let listener: Listener;

beforeEach(async () => {
  asked = [];
  answerLater = [];
  listener = await Listener.bind({
    name: 'PLAINTEXT',
    host: '127.0.0.1',
    port: 0,
    maxFrameBytes: 100 * MIB,
    maxIdleMs: IDLE_MS,
    backlog: 2000,
    limits: new ConnectionLimits({ maxConnections: 10_000, maxPerIp: 10_000, maxPerIpOverrides: new Map() }),
    clock: systemClock,
    logger,
  });
  listener.serve(new Dispatcher([fetch], { logger } as unknown as Broker));
});
afterEach(() => listener.close(0));

async function open(): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: listener.port(), allowHalfOpen: true });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

const fetchFrame = (topic: string, correlationId = 0): Buffer =>
  Buffer.concat(requestFrame(FetchRequest, VERSION, correlationId, 'test', { topics: [{ topic, partitions: [] }] }));

const manyFrames = (topic: string, count: number): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, id) => fetchFrame(topic, id)));

/** The correlation ids of the next responses. */
async function correlationIds(socket: Socket, count: number): Promise<number[]> {
  const splitter = new FrameSplitter(100 * MIB);
  const ids: number[] = [];
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    splitter.push(chunk);
    for (let frame = splitter.next(); frame !== null; frame = splitter.next()) ids.push(frame.readInt32BE(0));
    if (ids.length >= count) break;
  }
  return ids;
}

const upTo = (count: number): number[] => [...Array(count).keys()];
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Whether the broker answers somebody who behaves. */
async function serves(): Promise<boolean> {
  const socket = await open();
  socket.write(fetchFrame('small', 7));
  const [id] = await correlationIds(socket, 1);
  socket.destroy();
  return id === 7;
}

describe('a client that does not read', () => {
  it('has no more responses made for it than the sockets take, and gets all of them when it reads', async () => {
    const socket = await open();
    socket.write(manyFrames('large', 100));
    await vi.waitFor(() => expect(asked.length).toBeGreaterThan(0), { timeout: 4000 });
    await pause(100);
    // the buffers of both sockets, some MiB, and one response more
    expect(asked.length).toBeLessThan(20);
    expect(await serves()).toBe(true);
    expect(await correlationIds(socket, 100)).toEqual(upTo(100));
    socket.destroy();
  });

  it('is closed when it has taken nothing for connections.max.idle.ms', async () => {
    const socket = await open();
    socket.write(manyFrames('large', 100));
    await vi.waitFor(() => expect(asked.length).toBeGreaterThan(0), { timeout: 4000 });
    await vi.waitFor(() => expect(listener.connectionCount()).toBe(0), { timeout: 4000, interval: 50 });
    socket.destroy();
  });
});

describe('a client that sends more than is handled', () => {
  it('has a thousand requests answered in order', async () => {
    const socket = await open();
    socket.write(manyFrames('small', 1000));
    expect(await correlationIds(socket, 1000)).toEqual(upTo(1000));
    socket.destroy();
  });

  it('is not read from while a request waits', async () => {
    const socket = await open();
    socket.write(manyFrames('later', 2));
    // about 30 MB, more than the buffers of both sockets hold
    const block = manyFrames('small', 10_000);
    for (let i = 0; i < 50; i++) socket.write(block);
    await vi.waitFor(() => expect(asked.length).toBeGreaterThan(0), { timeout: 4000 });
    await pause(100);
    expect(asked).toEqual(['later']);
    expect(socket.writableLength).toBeGreaterThan(0);
    expect(await serves()).toBe(true);
    socket.destroy();
  });
});

describe('a client that sends slowly', () => {
  it('is answered when its last byte has come, and holds nobody up', async () => {
    const socket = await open();
    socket.setNoDelay(true);
    const frame = fetchFrame('small', 3);
    for (const byte of frame) {
      socket.write(Buffer.from([byte]));
      await pause(1);
    }
    expect(await correlationIds(socket, 1)).toEqual([3]);
    expect(await serves()).toBe(true);
    socket.destroy();
  });

  it('is closed when it stops within a frame', async () => {
    const socket = await open();
    socket.write(fetchFrame('small').subarray(0, 6));
    await once(socket.resume(), 'end');
    socket.destroy();
  });
});

describe('a client that is gone', () => {
  it('with a request waiting: the connection is forgotten at once', async () => {
    const socket = await open();
    socket.write(fetchFrame('later'));
    await vi.waitFor(() => expect(answerLater).toHaveLength(1), { timeout: 4000 });
    socket.resetAndDestroy();
    await vi.waitFor(() => expect(listener.connectionCount()).toBe(0), { timeout: 4000 });
    for (const answer of answerLater) answer();
    expect(await serves()).toBe(true);
  });

  it('having ended its direction only: what was asked before is answered, then the connection ends', async () => {
    const socket = await open();
    socket.end(manyFrames('small', 10));
    expect(await correlationIds(socket, 10)).toEqual(upTo(10));
    await vi.waitFor(() => expect(listener.connectionCount()).toBe(0), { timeout: 4000 });
  });
});

it('two thousand connections are served side by side', async () => {
  const sockets = await Promise.all(Array.from({ length: 2000 }, open));
  for (const [id, socket] of sockets.entries()) socket.write(fetchFrame('small', id));
  const ids = await Promise.all(sockets.map(async (socket) => (await correlationIds(socket, 1))[0]));
  expect(ids).toEqual(upTo(2000));
  expect(listener.connectionCount()).toBe(2000);
  for (const socket of sockets) socket.destroy();
});

it('no client made the broker log a failure', () => {
  expect(logger.of('error')).toEqual([]);
});
