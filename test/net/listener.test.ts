import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { requestFrame } from '../../protocol/frame.ts';
import { MetadataRequest } from '../../protocol/messages/03-metadata.ts';
import { ApiVersionsRequest, ApiVersionsResponse } from '../../protocol/messages/18-api-versions.ts';
import { Odradek } from '../../src/index.ts';
import { CollectingLogger } from '../support/loggers.ts';
import { WireClient } from '../support/wire-client.ts';

const ApiVersions = { request: ApiVersionsRequest, response: ApiVersionsResponse };
const software = { clientSoftwareName: 'test', clientSoftwareVersion: '1.0' };

let broker: Odradek;
const logger = new CollectingLogger();

beforeAll(async () => {
  broker = await Odradek.start({ inMemory: true, logger, config: { 'socket.request.max.bytes': '100000' } });
});
afterAll(() => broker.stop());

/** A frame's size field and what follows. */
function framed(body: Buffer, sizeBytes = body.length): Buffer {
  const size = Buffer.alloc(4);
  size.writeInt32BE(sizeBytes);
  return Buffer.concat([size, body]);
}

function header(apiKey: number, apiVersion: number): Buffer {
  const bytes = Buffer.alloc(10);
  bytes.writeInt16BE(apiKey, 0);
  bytes.writeInt16BE(apiVersion, 2);
  bytes.writeInt32BE(7, 4);
  bytes.writeInt16BE(-1, 8);
  return bytes;
}

describe('a connection', () => {
  it('answers pipelined requests in order, however they are cut', async () => {
    const client = await WireClient.connect(broker.bootstrapServers);
    const frames = [0, 1, 2, 3, 4].map((id) =>
      Buffer.concat(requestFrame(MetadataRequest, 9, id, 'x', { topics: [] })),
    );
    const bytes = Buffer.concat(frames);
    for (let at = 0; at < bytes.length; at += 7) {
      client.write(bytes.subarray(at, at + 7));
      if (at % 21 === 0) await new Promise((r) => setImmediate(r));
    }
    const ids: (number | undefined)[] = [];
    for (const _ of frames) ids.push((await client.frame())?.readInt32BE(0));
    expect(ids).toEqual([0, 1, 2, 3, 4]);
    await client.close();
  });

  it('answers an ApiVersions that is too new in version 0, with the range there is (KIP-511)', async () => {
    const client = await WireClient.connect(broker.bootstrapServers);
    client.write(framed(Buffer.concat([header(18, 99), Buffer.from([0, 1, 2, 3])])));
    const frame = (await client.frame()) as Buffer;
    expect(frame.readInt32BE(0)).toBe(7);
    expect(frame.readInt16BE(4)).toBe(ErrorCode.UNSUPPORTED_VERSION);
    expect([...Array(3).keys()].map((i) => frame.readInt16BE(10 + 2 * i))).toEqual([18, 0, 4]);
    expect((await client.request(ApiVersions, 3, software)).errorCode).toBe(0);
    await client.close();
  });

  it('refuses software names that are not allowed', async () => {
    const client = await WireClient.connect(broker.bootstrapServers);
    const bad = { ...software, clientSoftwareName: '-bad name' };
    expect((await client.request(ApiVersions, 3, bad)).errorCode).toBe(ErrorCode.INVALID_REQUEST);
    await client.close();
  });

  it.each([
    ['an unknown API key', framed(Buffer.concat([header(9999, 0), Buffer.alloc(8)]))],
    ['a version that is not served', framed(Buffer.concat([header(3, 99), Buffer.alloc(8)]))],
    ['a frame over socket.request.max.bytes', framed(Buffer.alloc(0), 100_001)],
    ['a negative length', framed(Buffer.alloc(0), -1)],
    ['a body that ends too early', framed(Buffer.concat([header(3, 1), Buffer.from([0, 0])]))],
    ['an array longer than the frame', framed(Buffer.concat([header(3, 1), Buffer.from([0x7f, 0xff, 0xff, 0xff])]))],
  ])('is closed for %s, with one log line that names the peer', async (_what, bytes) => {
    const client = await WireClient.connect(broker.bootstrapServers);
    const before = logger.of('warn').length;
    client.write(bytes);
    await client.closed;
    expect(logger.of('warn').length).toBe(before + 1);
    expect(logger.lines.at(-1)?.fields).toHaveProperty('peer');
    expect(logger.of('error')).toEqual([]);
  });

  it('of one client does not suffer from another that sends garbage', async () => {
    const good = await WireClient.connect(broker.bootstrapServers);
    const bad = await WireClient.connect(broker.bootstrapServers);
    bad.write(Buffer.from('GET / HTTP/1.1\r\nHost: kafka\r\n\r\n'));
    await bad.closed;
    expect((await good.request(ApiVersions, 3, software)).errorCode).toBe(0);
    await good.close();
  });
});
