/**
 * `odradek wire decode|encode`: messages of the protocol between bytes and JSON, a JSON object a line, stdin to stdout.
 *
 *   decode                    {"message", "version", "hex"}           {"json"}
 *   encode                    {"message", "version", "json"}          {"hex"}
 *   decode --frame request    {"hex"}                                 {"apiKey", "name", "version", "header", "json"}
 *   decode --frame response   {"hex", "apiKey", "version"}            {"apiKey", "name", "version", "header", "json"}
 *   encode --frame request    {"apiKey", "version", "header", "json"} {"hex"}
 *   encode --frame response   {"apiKey", "version", "header", "json"} {"hex"}
 *
 * "json" has the form of Kafka's JsonConverter classes (protocol/json.ts). A frame may come with or without its four bytes
 * of size and is written with them. A line that cannot be converted is answered with {"error"}.
 */
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { allMessages } from '../../protocol/all-messages.ts';
import { codec, decode, encode, versionsOf } from '../../protocol/compile.ts';
import { isApiKey, requestHeaderVersion, responseHeaderVersion } from '../../protocol/header.ts';
import { RequestHeader, ResponseHeader } from '../../protocol/header-schemas.ts';
import { fromJson, type JsonObject, type JsonValue, parseJson, stringifyJson, toJson } from '../../protocol/json.ts';
import { MalformedError } from '../../protocol/malformed.ts';
import { type ApiKey, apis } from '../../protocol/messages/index.ts';
import { Reader } from '../../protocol/reader.ts';
import type { Message } from '../../protocol/schema.ts';
import { Writer } from '../../protocol/writer.ts';
import { LineOutput } from './line-output.ts';

export type Direction = 'decode' | 'encode';
export type FrameKind = 'request' | 'response';

/** Converts lines from `input` to `output` until the input ends; 1 where a line could not be converted, else 0. */
export async function wireCommand(
  direction: Direction,
  frame: FrameKind | null,
  input: Readable = process.stdin,
  output: Writable = process.stdout,
): Promise<number> {
  let code = 0;
  const lines = new LineOutput(output);
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (lines.isClosed()) break;
    if (line.trim() === '') continue;
    const answer = convertLine(line, direction, frame);
    if ('error' in answer) code = 1;
    await lines.write(stringifyJson(answer));
  }
  return code;
}

/** One line's answer. */
export function convertLine(line: string, direction: Direction, frame: FrameKind | null): JsonObject {
  try {
    const question = parseJson(line);
    if (typeof question !== 'object' || question === null || Array.isArray(question)) throw new Error('not an object');
    const fields = question as JsonObject;
    if (frame === null) return direction === 'decode' ? decodeMessage(fields) : encodeMessage(fields);
    return direction === 'decode' ? decodeFrame(fields, frame) : encodeFrame(fields, frame);
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

function decodeMessage(question: JsonObject): JsonObject {
  const message = messageOf(question);
  const version = integer(question, 'version');
  return { json: toJson(message, version, decode(message, version, bytes(question))) };
}

function encodeMessage(question: JsonObject): JsonObject {
  const message = messageOf(question);
  const version = integer(question, 'version');
  return { hex: encode(message, version, fromJson(message, version, question.json ?? {})).toString('hex') };
}

const headers = new Map<string, Message>([RequestHeader, ResponseHeader].map((header) => [header.name, header]));

function messageOf(question: JsonObject): Message {
  const { message: name } = question;
  if (typeof name !== 'string') throw new Error('"message" is missing');
  const message = allMessages.get(name) ?? headers.get(name);
  if (message === undefined) throw new Error(`there is no message ${name}`);
  return message;
}

function decodeFrame(question: JsonObject, kind: FrameKind): JsonObject {
  const frame = bytes(question);
  const read = (body: Buffer) => (kind === 'request' ? readRequest(body) : readResponse(body, question));
  if (frame.length < 4 || frame.readInt32BE(0) !== frame.length - 4) return read(frame);
  try {
    return read(frame.subarray(4));
  } catch (error) {
    // what looks like the size may be a small correlation id
    if (!(error instanceof MalformedError)) throw error;
    try {
      return read(frame);
    } catch {
      throw error;
    }
  }
}

function readRequest(frame: Buffer): JsonObject {
  const start = new Reader(frame);
  const apiKey = start.int16();
  const version = start.int16();
  const headerVersion = requestHeaderVersion(apiKey, version);
  const reader = new Reader(frame);
  const header = toJson(RequestHeader, headerVersion, codec(RequestHeader, headerVersion).read(reader));
  return {
    ...namesOf(apiKey, version),
    header,
    json: readBody(messageOfApi(apiKey, version, 'request'), version, reader),
  };
}

function readResponse(frame: Buffer, question: JsonObject): JsonObject {
  const apiKey = integer(question, 'apiKey');
  const version = integer(question, 'version');
  const message = messageOfApi(apiKey, version, 'response');
  const headerVersion = responseHeaderVersion(apiKey, version);
  const reader = new Reader(frame);
  const header = toJson(ResponseHeader, headerVersion, codec(ResponseHeader, headerVersion).read(reader));
  return { ...namesOf(apiKey, version), header, json: readBody(message, version, reader) };
}

function readBody(message: Message, version: number, reader: Reader): JsonObject {
  const json = toJson(message, version, codec(message, version).read(reader));
  if (reader.remaining() > 0) throw new MalformedError(`${reader.remaining()} bytes left over after ${message.name}`);
  return json;
}

function encodeFrame(question: JsonObject, kind: FrameKind): JsonObject {
  const apiKey = integer(question, 'apiKey');
  const version = integer(question, 'version');
  const message = messageOfApi(apiKey, version, kind);
  const header = question.header ?? {};
  const writer = new Writer();
  writer.int32(0);
  if (kind === 'request') {
    const headerVersion = requestHeaderVersion(apiKey, version);
    const full = { requestApiKey: apiKey, requestApiVersion: version, clientId: null, ...(header as JsonObject) };
    codec(RequestHeader, headerVersion).write(writer, fromJson(RequestHeader, headerVersion, full));
  } else {
    const headerVersion = responseHeaderVersion(apiKey, version);
    codec(ResponseHeader, headerVersion).write(writer, fromJson(ResponseHeader, headerVersion, header));
  }
  codec(message, version).write(writer, fromJson(message, version, question.json ?? {}));
  const frame = writer.toBuffer();
  frame.writeInt32BE(frame.length - 4, 0);
  return { hex: frame.toString('hex') };
}

function namesOf(apiKey: number, version: number): JsonObject {
  return { apiKey, name: apis[apiKey as ApiKey].request.name.replace(/Request$/, ''), version };
}

function messageOfApi(apiKey: number, version: number, kind: FrameKind): Message {
  if (!isApiKey(apiKey)) throw new Error(`unknown API key ${apiKey}`);
  const message: Message = apis[apiKey as ApiKey][kind];
  const [lowest, highest] = versionsOf(message);
  if (version < lowest || version > highest) {
    throw new Error(`${message.name} has versions ${lowest} to ${highest}, not ${version}`);
  }
  return message;
}

function integer(question: JsonObject, name: string): number {
  const value: JsonValue | undefined = question[name];
  if (typeof value !== 'number' || !Number.isInteger(value)) throw new Error(`"${name}" is missing`);
  return value;
}

function bytes(question: JsonObject): Buffer {
  const { hex } = question;
  if (typeof hex !== 'string') throw new Error('"hex" is missing');
  const buf = Buffer.from(hex, 'hex');
  if (buf.length * 2 !== hex.length) throw new Error('"hex" is not hexadecimal');
  return buf;
}
