import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { untilServing } from '../../scripts/bench/topics.ts';
import { ByteWriter } from '../../scripts/bench/wire.ts';

const METADATA = 3;
const NOT_LEADER = 6;
const END_OFFSET = 21;

let server: Server | undefined;
afterEach(() => server?.close());

/** Metadata 1 of topic `t` with one partition; leader -1 means that it has none yet. */
function metadata(leader: number): Buffer {
  const writer = new ByteWriter().int32(0).int32(1).int32(1).int16(0).string('t').int8(0);
  return writer.int32(1).int16(0).int32(0).int32(leader).int32(0).int32(0).done();
}

/** ListOffsets 5 of that partition. */
function endOffset(errorCode: number): Buffer {
  const writer = new ByteWriter().int32(0).int32(1).string('t').int32(1).int32(0).int16(errorCode).int64(-1);
  return writer
    .int64(errorCode === 0 ? END_OFFSET : -1)
    .int32(0)
    .done();
}

/** Answers from the two lists in turn; the last of a list is given again and again. */
async function serve(metadataAnswers: Buffer[], offsetAnswers: Buffer[]): Promise<{ port: number; asked: number[] }> {
  const asked: number[] = [];
  const listening = createServer((socket: Socket) => {
    socket.on('data', (request) => {
      const apiKey = request.readInt16BE(4);
      asked.push(apiKey);
      const answers = apiKey === METADATA ? metadataAnswers : offsetAnswers;
      const body = answers.length > 1 ? (answers.shift() ?? Buffer.alloc(0)) : answers[0];
      socket.write(
        new ByteWriter()
          .int32(4 + body.length)
          .int32(0)
          .raw(body)
          .done(),
      );
    });
    socket.on('error', () => socket.destroy());
  });
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const address = listening.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { port: address.port, asked };
}

describe('waiting for partitions that serve', () => {
  it('goes on until each has a leader that answers for it, and gives the records that are there', async () => {
    const { port, asked } = await serve([metadata(-1), metadata(1)], [endOffset(NOT_LEADER), endOffset(0)]);
    expect(await untilServing(port, ['t'], 1)).toBe(END_OFFSET);
    expect(asked).toEqual([3, 3, 2, 2]);
  });

  it('adds up the records of all topics', async () => {
    const { port } = await serve([metadata(1)], [endOffset(0)]);
    expect(await untilServing(port, ['t', 't'], 1)).toBe(2 * END_OFFSET);
  });
});
