import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codec } from '../../protocol/compile.ts';
import { bytesOf } from '../../protocol/deferred-bytes.ts';
import { FrameSplitter, requestFrame, responseFrame } from '../../protocol/frame.ts';
import { readRequestHeader, readResponseHeader } from '../../protocol/header.ts';
import { MalformedError } from '../../protocol/malformed.ts';
import { MetadataRequest } from '../../protocol/messages/03-metadata.ts';
import { ApiVersionsResponse } from '../../protocol/messages/18-api-versions.ts';
import { Reader } from '../../protocol/reader.ts';

const LIMIT_BYTES = 1 << 20;

function framed(body: Uint8Array): Buffer {
  const size = Buffer.alloc(4);
  size.writeInt32BE(body.length);
  return Buffer.concat([size, body]);
}

/** Feeds the chunks and takes every frame as soon as it is there. */
function split(chunks: Buffer[]): Buffer[] {
  const splitter = new FrameSplitter(LIMIT_BYTES);
  const frames: Buffer[] = [];
  for (const chunk of chunks) {
    splitter.push(chunk);
    for (let frame = splitter.next(); frame !== null; frame = splitter.next()) frames.push(Buffer.from(frame));
  }
  return frames;
}

describe('FrameSplitter', () => {
  test('yields the same frames wherever the stream is cut', () => {
    const bodies = [Buffer.from('one'), Buffer.alloc(0), Buffer.from('three'), Buffer.from('4')];
    const stream = Buffer.concat(bodies.map(framed));
    for (let i = 0; i <= stream.length; i++) {
      for (let j = i; j <= stream.length; j++) {
        expect(split([stream.subarray(0, i), stream.subarray(i, j), stream.subarray(j)])).toEqual(bodies);
      }
    }
  });

  test('yields the same frames for any chunks, also when they are pushed before frames are taken', () => {
    const property = (bodies: Uint8Array[], cuts: number[], takeEarly: boolean) => {
      const stream = Buffer.concat(bodies.map(framed));
      const at = [0, ...cuts.map((cut) => Math.floor(cut * stream.length)).sort((a, b) => a - b), stream.length];
      const chunks = at.slice(1).map((end, i) => stream.subarray(at[i], end));
      const splitter = new FrameSplitter(LIMIT_BYTES);
      const frames: Buffer[] = [];
      const take = () => {
        for (let frame = splitter.next(); frame !== null; frame = splitter.next()) frames.push(Buffer.from(frame));
      };
      for (const chunk of chunks) {
        splitter.push(chunk);
        if (takeEarly) take();
      }
      take();
      expect(frames.map((f) => f.toString('hex'))).toEqual(bodies.map((b) => Buffer.from(b).toString('hex')));
    };
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 10 }),
        fc.boolean(),
        property,
      ),
    );
  });

  test('a frame within one chunk is a view of it', () => {
    const chunk = framed(Buffer.from('hello'));
    const splitter = new FrameSplitter(LIMIT_BYTES);
    splitter.push(chunk);
    expect(splitter.next()?.buffer).toBe(chunk.buffer);
  });

  test('a large frame in small chunks comes out whole', () => {
    const body = Buffer.alloc(LIMIT_BYTES).map((_, i) => i % 251);
    const stream = framed(body);
    const chunks: Buffer[] = [];
    for (let at = 0; at < stream.length; at += 1000) chunks.push(stream.subarray(at, at + 1000));
    expect(split(chunks)[0].equals(body)).toBe(true);
  });

  test.each([
    ['negative', -1],
    ['one above the limit', LIMIT_BYTES + 1],
  ])('a size that is %s is refused, cut anywhere', (_, size) => {
    const bytes = Buffer.alloc(8);
    bytes.writeInt32BE(size);
    for (let i = 0; i < 4; i++) {
      expect(() => split([bytes.subarray(0, i), bytes.subarray(i)])).toThrow(MalformedError);
    }
  });

  test('the promise of a large frame allocates no more than 256 KiB', () => {
    const size = Buffer.alloc(4);
    size.writeInt32BE(100 << 20);
    const before = process.memoryUsage().arrayBuffers;
    const splitter = new FrameSplitter(100 << 20);
    splitter.push(Buffer.concat([size, Buffer.alloc(10)]));
    expect(splitter.next()).toBeNull();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(300 * 1024);
  });
});

describe('frames', () => {
  test('a request frame carries its header', () => {
    for (const version of [1, 12]) {
      const frame = Buffer.concat(requestFrame(MetadataRequest, version, 7, 'me', { topics: [{ name: 't' }] }));
      expect(frame.readInt32BE(0)).toBe(frame.length - 4);
      const reader = new Reader(frame, 4);
      expect(readRequestHeader(reader)).toEqual({ apiKey: 3, apiVersion: version, correlationId: 7, clientId: 'me' });
      expect(codec(MetadataRequest, version).read(reader).topics?.[0].name).toBe('t');
      expect(reader.remaining()).toBe(0);
    }
  });

  test('an ApiVersions response has no tagged header fields, another flexible response has', () => {
    const frame = Buffer.concat(responseFrame(ApiVersionsResponse, 3, 9, { apiKeys: [] }).map(bytesOf));
    const reader = new Reader(frame, 4);
    expect(readResponseHeader(reader, 18, 3)).toBe(9);
    expect(codec(ApiVersionsResponse, 3).read(reader).errorCode).toBe(0);
    expect(reader.remaining()).toBe(0);
  });

  test('an unknown API key is malformed', () => {
    expect(() => readRequestHeader(new Reader(Buffer.from('7fff000000000001ffff', 'hex')))).toThrow(MalformedError);
    expect(() => readRequestHeader(new Reader(Buffer.from('ffff000000000001ffff', 'hex')))).toThrow(MalformedError);
  });

  test('a null client id is an empty one', () => {
    expect(readRequestHeader(new Reader(Buffer.from('0003000100000001ffff', 'hex'))).clientId).toBe('');
  });
});
