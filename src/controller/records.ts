/**
 * Records of `__cluster_metadata` as bytes (KIP-631, MetadataRecordSerde): frame version, record type and message version
 * as unsigned varints, then the message.
 */
import { codec } from '../../protocol/compile.ts';
import { MalformedError } from '../../protocol/malformed.ts';
import * as messages from '../../protocol/metadata/index.ts';
import { Reader } from '../../protocol/reader.ts';
import { type InputOf, inRange, type Message } from '../../protocol/schema.ts';
import { Writer } from '../../protocol/writer.ts';

const FRAME_VERSION = 1;

/** A record about to be written or just read: which message, in which version, and its fields. */
export interface MetadataRecord {
  readonly message: Message;
  readonly version: number;
  readonly value: object;
}

/** A record of this message; without a version the highest. */
export function record<M extends Message>(message: M, value: InputOf<M>, version = highest(message)): MetadataRecord {
  return { message, version, value };
}

function highest(message: Message): number {
  return Number(message.versions.slice(message.versions.indexOf('-') + 1));
}

const byType = new Map<number, Message>(
  Object.values(messages).map((message): [number, Message] => [message.apiKey as number, message]),
);

export function encodeRecord(r: MetadataRecord): Buffer {
  const writer = new Writer();
  writer.uvarint(FRAME_VERSION);
  writer.uvarint(r.message.apiKey as number);
  writer.uvarint(r.version);
  codec(r.message, r.version).write(writer, r.value);
  return writer.toBuffer();
}

/** Throws MalformedError for what this node does not understand: going on without it would be a different cluster. */
export function decodeRecord(bytes: Buffer): MetadataRecord {
  const reader = new Reader(bytes);
  const frame = reader.uvarint();
  if (frame !== FRAME_VERSION) throw new MalformedError(`metadata record frame version ${frame}`);
  const type = reader.uvarint();
  const version = reader.uvarint();
  const message = byType.get(type);
  if (message === undefined || !inRange(message.versions, version)) {
    throw new MalformedError(`metadata record type ${type} version ${version}`);
  }
  return { message, version, value: codec(message, version).read(reader) };
}
