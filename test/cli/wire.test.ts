import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { bytesOf } from '../../protocol/deferred-bytes.ts';
import { requestFrame, responseFrame } from '../../protocol/frame.ts';
import { MetadataRequest } from '../../protocol/messages/03-metadata.ts';
import { HeartbeatResponse } from '../../protocol/messages/12-heartbeat.ts';
import { ApiVersionsResponse } from '../../protocol/messages/18-api-versions.ts';
import { convertLine, type Direction, type FrameKind, wireCommand } from '../../src/cli/wire.ts';

async function run(direction: Direction, frame: FrameKind | null, lines: string): Promise<[number, string[]]> {
  const input = new PassThrough();
  const output = new PassThrough();
  const printed = text(output);
  input.end(lines);
  const code = await wireCommand(direction, frame, input, output);
  output.end();
  return [code, (await printed).split('\n').slice(0, -1)];
}

describe('odradek wire', () => {
  test('encodes and decodes messages, int64 with all digits', async () => {
    const json = '{"producerId":9223372036854775807,"producerEpoch":1,"errorCode":0,"throttleTimeMs":0}';
    const [code, hex] = await run(
      'encode',
      null,
      `{"message":"InitProducerIdResponse","version":1,"json":${json}}\n\n`,
    );
    expect([code, hex]).toEqual([0, ['{"hex":"0000000000007fffffffffffffff0001"}']]);
    const question = `{"message":"InitProducerIdResponse","version":1,"hex":"0000000000007fffffffffffffff0001"}`;
    const [, back] = await run('decode', null, `${question}\r\n`);
    expect(back).toEqual([
      '{"json":{"throttleTimeMs":0,"errorCode":0,"producerId":9223372036854775807,"producerEpoch":1}}',
    ]);
  });

  test('answers each line, wrong ones with an error', async () => {
    const lines = [
      'nonsense',
      '[]',
      '{"message":"Nothing","version":0,"hex":""}',
      '{"message":"HeartbeatResponse","version":99,"hex":""}',
      '{"message":"HeartbeatResponse","version":0,"hex":"00"}',
      '{"message":"HeartbeatResponse","version":0,"hex":"000000"}',
      '{"message":"HeartbeatResponse","version":0,"hex":"zz"}',
      '{"message":"HeartbeatResponse","version":0,"hex":"001b"}',
    ];
    const [code, answers] = await run('decode', null, lines.join('\n'));
    expect(code).toBe(1);
    expect(answers.map((a) => Object.keys(JSON.parse(a))[0])).toEqual([...Array(7).fill('error'), 'json']);
  });

  test.each([true, false])('a request frame, with its size: %s', (withSize) => {
    const frame = Buffer.concat(requestFrame(MetadataRequest, 12, 7, 'me', { topics: null }));
    const answer = convertLine(`{"hex":"${frame.subarray(withSize ? 0 : 4).toString('hex')}"}`, 'decode', 'request');
    expect(answer).toMatchObject({
      apiKey: 3,
      name: 'Metadata',
      version: 12,
      header: { requestApiKey: 3, requestApiVersion: 12, correlationId: 7, clientId: 'me' },
      json: { topics: null, allowAutoTopicCreation: true },
    });
    const back = convertLine(JSON.stringify({ ...answer, header: answer.header }), 'encode', 'request');
    expect(back).toEqual({ hex: frame.toString('hex') });
  });

  test('a response frame, also where the correlation id could be a size', () => {
    const frame = Buffer.concat(responseFrame(HeartbeatResponse, 0, 2, { errorCode: 27 }).map(bytesOf));
    for (const hex of [frame.toString('hex'), frame.subarray(4).toString('hex')]) {
      expect(convertLine(JSON.stringify({ hex, apiKey: 12, version: 0 }), 'decode', 'response')).toEqual({
        apiKey: 12,
        name: 'Heartbeat',
        version: 0,
        header: { correlationId: 2 },
        json: { errorCode: 27 },
      });
    }
  });

  test('the header of an ApiVersions response is version 0', () => {
    const frame = Buffer.concat(responseFrame(ApiVersionsResponse, 4, 5, { errorCode: 0, apiKeys: [] }).map(bytesOf));
    const hex = frame.toString('hex');
    const answer = convertLine(JSON.stringify({ hex, apiKey: 18, version: 4 }), 'decode', 'response');
    expect(answer).toMatchObject({ header: { correlationId: 5 }, json: { errorCode: 0 } });
    expect(convertLine(JSON.stringify(answer), 'encode', 'response')).toEqual({ hex });
  });

  test('unknown keys and versions are told', () => {
    expect(convertLine('{"hex":"7fff000000000001ffff"}', 'decode', 'request')).toEqual({
      error: 'unknown API key 32767',
    });
    expect(convertLine('{"hex":"000300630000000100000000"}', 'decode', 'request').error).toMatch(
      /MetadataRequest has versions/,
    );
  });
});
