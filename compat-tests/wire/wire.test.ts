import { afterEach, expect, it } from 'vitest';
import { describeBrokers } from '../describe-brokers.ts';
import { times, uniqueName } from '../helpers.ts';
import { kafkajs } from '../kafkajs/client.ts';
import {
  compactString,
  flexibleRequest,
  framed,
  int8,
  int16,
  int32,
  int64,
  noTags,
  nullString,
  produceBody,
  produceError,
  RawConnection,
  recordBatch,
  request,
  string,
} from './raw.ts';

const PRODUCE = 0;
const FETCH = 1;
const METADATA = 3;
const API_VERSIONS = 18;

/** Metadata v1 that asks for no topic. */
const metadata = (correlationId: number): Buffer => request(METADATA, 1, correlationId, int32(0));

describeBrokers('bytes on the wire', (broker) => {
  const open: RawConnection[] = [];
  const connect = async (): Promise<RawConnection> => {
    const connection = await RawConnection.open(broker.bootstrapServers);
    open.push(connection);
    return connection;
  };
  afterEach(() => {
    for (const connection of open.splice(0)) connection.close();
  });

  async function newTopic(): Promise<string> {
    const topic = uniqueName('wire');
    const admin = kafkajs(broker.bootstrapServers).admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic }] });
    await admin.disconnect();
    return topic;
  }

  /** Sends bytes and expects the broker to hang up without an answer, and to serve the next connection. */
  async function hangsUp(bytes: Buffer): Promise<void> {
    const connection = await connect();
    connection.write(bytes);
    expect(await connection.answer()).toBe('closed');
    const next = await connect();
    next.send(metadata(1));
    expect((await next.bytes()).readInt32BE(0)).toBe(1);
  }

  it('answers ApiVersions above its own version in the form of v0, with error 35 and its range', async () => {
    for (const body of [Buffer.alloc(0), Buffer.from('from the future')]) {
      const connection = await connect();
      connection.send(Buffer.concat([flexibleRequest(API_VERSIONS, 99, 7), body]));
      const answer = await connection.bytes();
      expect(answer).toEqual(Buffer.concat([int32(7), int16(35), int32(1), int16(API_VERSIONS), int16(0), int16(4)]));
      // The connection goes on: the client asks again in a version that it has just learnt.
      connection.send(request(API_VERSIONS, 0, 8));
      expect((await connection.bytes()).subarray(0, 6)).toEqual(Buffer.concat([int32(8), int16(0)]));
    }
  });

  it.each([0, 1, 2, 3, 4])('answers ApiVersions v%d with header v0', async (version) => {
    const connection = await connect();
    const flexible = version >= 3;
    connection.send(
      flexible
        ? flexibleRequest(API_VERSIONS, version, 9, compactString('raw'), compactString('1.0'), noTags)
        : request(API_VERSIONS, version, 9),
    );
    // No tagged fields between the correlation id and the error code, in a flexible version neither.
    expect((await connection.bytes()).subarray(0, 6)).toEqual(Buffer.concat([int32(9), int16(0)]));
  });

  it.each([
    ['raw client', '1.0'],
    ['', '1.0'],
    ['-raw', '1.0'],
    ['raw', ''],
  ])('answers INVALID_REQUEST to a client that calls itself %j %j', async (name, version) => {
    const connection = await connect();
    connection.send(flexibleRequest(API_VERSIONS, 3, 3, compactString(name), compactString(version), noTags));
    expect((await connection.bytes()).subarray(0, 6)).toEqual(Buffer.concat([int32(3), int16(42)]));
  });

  it.each([
    ['a frame above socket.request.max.bytes', int32(104_857_601)],
    ['the largest length there is', int32(0x7fffffff)],
    ['a negative length', int32(-1)],
    ['another protocol', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
    ['an empty frame', int32(0)],
    ['a frame without a whole header', framed(Buffer.from([0, 18, 0]))],
    ['an unknown API key', framed(request(9999, 0, 1))],
    ['a negative API key', framed(request(-1, 0, 1))],
    ['an API of the controller only (Vote)', framed(request(52, 0, 1))],
    ['a version above the range', framed(request(METADATA, 99, 1, int32(0)))],
    ['a negative version', framed(request(METADATA, -1, 1, int32(0)))],
    [
      'Produce v2, advertised for old clients but gone',
      framed(request(PRODUCE, 2, 1, int16(1), int32(1000), int32(0))),
    ],
    ['Fetch v3, below the range', framed(request(FETCH, 3, 1, int32(-1), int32(0), int32(0), int32(0), int32(0)))],
    ['a body cut short', framed(request(METADATA, 1, 1, int16(0)))],
    ['an array longer than the frame', framed(request(METADATA, 1, 1, int32(1_000_000)))],
    ['a string longer than the frame', framed(request(METADATA, 1, 1, int32(1), int16(30_000)))],
    ['a null where none may be', framed(request(METADATA, 1, 1, int32(1), nullString))],
  ])('hangs up after %s', async (_what, bytes) => {
    await hangsUp(bytes);
  });

  it('answers a request that arrives byte by byte', async () => {
    const connection = await connect();
    for (const byte of framed(metadata(4))) {
      connection.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await connection.bytes()).readInt32BE(0)).toBe(4);
  });

  it('accepts a client id that is null', async () => {
    const connection = await connect();
    connection.send(Buffer.concat([int16(METADATA), int16(1), int32(5), nullString, int32(0)]));
    expect((await connection.bytes()).readInt32BE(0)).toBe(5);
  });

  it('ignores bytes behind a whole request', async () => {
    const connection = await connect();
    connection.send(Buffer.concat([metadata(6), Buffer.from('left over')]));
    expect((await connection.bytes()).readInt32BE(0)).toBe(6);
  });

  it('answers pipelined requests in their order', async () => {
    const connection = await connect();
    const requests = times(100, (i) => framed(i % 2 === 0 ? metadata(i) : request(API_VERSIONS, 0, i)));
    connection.write(Buffer.concat(requests));
    const ids = [];
    for (let i = 0; i < 100; i++) ids.push((await connection.bytes()).readInt32BE(0));
    expect(ids).toEqual(times(100, (i) => i));
  });

  it('answers what follows a waiting fetch after the fetch', async () => {
    const topic = await newTopic();
    const connection = await connect();
    const partition = [int32(0), int32(-1), int64(0), int64(-1), int32(1_000_000)];
    const session = [int32(0), int32(-1)];
    const limits = [int32(-1), int32(700), int32(1), int32(1_000_000), int8(0)];
    const fetch = request(
      FETCH,
      11,
      1,
      ...limits,
      ...session,
      int32(1),
      string(topic),
      int32(1),
      ...partition,
      int32(0),
      string(''),
    );
    const begin = Date.now();
    connection.write(Buffer.concat([framed(fetch), framed(metadata(2))]));
    expect((await connection.bytes()).readInt32BE(0)).toBe(1);
    expect(Date.now() - begin).toBeGreaterThanOrEqual(650);
    expect((await connection.bytes()).readInt32BE(0)).toBe(2);
  });

  it('does not answer acks=0, writes it, and answers what follows', async () => {
    const topic = await newTopic();
    const connection = await connect();
    const silent = framed(request(PRODUCE, 7, 1, produceBody(topic, 0, recordBatch('quiet'))));
    const loud = framed(request(PRODUCE, 7, 2, produceBody(topic, 1, recordBatch('loud'))));
    connection.write(Buffer.concat([silent, loud]));
    const answer = await connection.bytes();
    expect(answer.readInt32BE(0)).toBe(2);
    expect(produceError(answer)).toBe(0);
    // The record of acks=0 has offset 0, this one offset 1.
    expect(answer.readBigInt64BE(8 + 2 + topic.length + 8 + 2)).toBe(1n);
  });

  it('hangs up when a produce with acks=0 fails, since it cannot say so', async () => {
    const connection = await connect();
    const body = produceBody(uniqueName('none'), 0, recordBatch('lost'));
    connection.send(request(PRODUCE, 7, 1, body));
    expect(await connection.answer()).toBe('closed');
  });

  it.each<[string, number, number, Buffer | undefined]>([
    ['INVALID_REQUIRED_ACKS for acks=2', 21, 2, undefined],
    ['CORRUPT_MESSAGE for a wrong checksum', 2, -1, recordBatch('x', { crc: 12345 })],
    ['INVALID_RECORD for a record count that is not true', 87, -1, recordBatch('x', { recordCount: 2 })],
    ['CORRUPT_MESSAGE for a magic number of the future', 2, -1, recordBatch('x', { magic: 3 })],
    ['INVALID_RECORD for an old magic number', 87, -1, recordBatch('x', { magic: 1 })],
    ['INVALID_RECORD for a batch that is cut off', 87, -1, recordBatch('x').subarray(0, 40)],
    ['INVALID_RECORD for no batch at all', 87, -1, Buffer.alloc(0)],
    ['INVALID_RECORD for two batches', 87, -1, Buffer.concat([recordBatch('a'), recordBatch('b')])],
  ])('answers %s', async (_what, code, acks, records) => {
    const topic = await newTopic();
    const connection = await connect();
    connection.send(request(PRODUCE, 7, 1, produceBody(topic, acks, records ?? recordBatch('x'))));
    expect(produceError(await connection.bytes())).toBe(code);
  });

  it('answers UNKNOWN_TOPIC_OR_PARTITION for a topic or a partition that does not exist', async () => {
    const connection = await connect();
    connection.send(request(PRODUCE, 7, 1, produceBody(uniqueName('none'), -1, recordBatch('x'))));
    expect(produceError(await connection.bytes())).toBe(3);
  });

  it('answers a client that has ended its direction of the connection', async () => {
    const connection = await connect();
    connection.send(metadata(1));
    connection.end();
    expect((await connection.bytes()).readInt32BE(0)).toBe(1);
    expect(await connection.answer()).toBe('closed');
  });
});
