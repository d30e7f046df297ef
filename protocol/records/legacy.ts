/**
 * Message sets of format v0 and v1, as logs from before Kafka 0.11 hold them; read only.
 *
 *   offset int64, size int32, then: crc uint32 (CRC-32 of all that follows), magic int8, attributes int8,
 *   in v1 timestamp int64, key length int32 (-1: null), key, value length int32 (-1: null), value
 *
 * A compressed set is the value of a wrapping message. In v0 the inner messages carry their offsets; in v1 theirs are
 * relative and the wrapper has the last one's absolute offset (KIP-31). Attributes as in v2: codec and timestamp type.
 */
import { crc32 } from '@node-rs/crc32';
import { MalformedError } from '../malformed.ts';
import * as batch from './batch.ts';
import { decompress, MAX_DECOMPRESSED_BYTES } from './compression.ts';
import type { KafkaRecord } from './record.ts';

const CRC_AT = 12;
const MAGIC_AT = 16;
const ATTRIBUTES_AT = 17;
const TIMESTAMP_AT = 18;
const NO_HEADERS = [] as const;

interface LegacyMessage {
  readonly offset: number;
  readonly sizeBytes: number;
  readonly magic: number;
  readonly attributes: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

/**
 * The records of the message at `at` (one, or those it wraps). Throws MalformedError; checks the CRC of the message and of
 * those inside.
 */
export function readLegacyRecords(buf: Buffer, at = 0, maxBytes = MAX_DECOMPRESSED_BYTES): KafkaRecord[] {
  const message = readMessage(buf, at);
  const codec = message.attributes & batch.COMPRESSION_MASK;
  if (codec === batch.CompressionType.NONE) return [toRecord(message, message.offset, message.timestamp)];
  return unwrap(message, codec, maxBytes);
}

function unwrap(wrapper: LegacyMessage, codec: number, maxBytes: number): KafkaRecord[] {
  if (codec === batch.CompressionType.ZSTD) throw new MalformedError('zstd in a v0 or v1 message');
  if (wrapper.value === null) throw new MalformedError('a compressed message without a value');
  const content = decompress(codec, wrapper.value, maxBytes, wrapper.magic);
  const inner = readMessages(content);
  if (inner.length === 0) throw new MalformedError('a compressed message without inner messages');
  const base = wrapper.magic === 0 ? 0 : baseOffset(wrapper.offset, inner[inner.length - 1].offset);
  const appended = wrapper.magic === 1 && (wrapper.attributes & batch.TIMESTAMP_TYPE_BIT) !== 0;
  return inner.map((message) => {
    if ((message.attributes & batch.COMPRESSION_MASK) !== 0) throw new MalformedError('a compressed inner message');
    const timestamp = appended && message.magic === 1 ? wrapper.timestamp : message.timestamp;
    return toRecord(message, base + message.offset, timestamp);
  });
}

/** A wrapper with offset 0 comes from a producer that left it unset: the inner offsets then stand for themselves. */
function baseOffset(wrapperOffset: number, lastInnerOffset: number): number {
  if (wrapperOffset === 0) return 0;
  if (wrapperOffset < lastInnerOffset) {
    throw new MalformedError(`wrapper offset ${wrapperOffset} below the inner offset ${lastInnerOffset}`);
  }
  return wrapperOffset - lastInnerOffset;
}

/** The messages of a set; one that is cut off at the end is left out, as Kafka leaves it out. */
function readMessages(buf: Buffer): LegacyMessage[] {
  const messages: LegacyMessage[] = [];
  let at = 0;
  while (buf.length - at >= batch.LOG_OVERHEAD_BYTES && batch.sizeBytes(buf, at) <= buf.length - at) {
    const message = readMessage(buf, at);
    messages.push(message);
    at += message.sizeBytes;
  }
  return messages;
}

function readMessage(buf: Buffer, at: number): LegacyMessage {
  if (buf.length - at < TIMESTAMP_AT) throw new MalformedError('a message that is cut off');
  const sizeBytes = batch.sizeBytes(buf, at);
  const magic = batch.magic(buf, at);
  if (magic !== 0 && magic !== 1) throw new MalformedError(`magic ${magic} in a message set`);
  const keyAt = TIMESTAMP_AT + (magic === 1 ? 8 : 0);
  if (sizeBytes < keyAt + 8 || sizeBytes > buf.length - at) throw new MalformedError(`a message of ${sizeBytes} bytes`);
  const message = buf.subarray(at, at + sizeBytes);
  if (crc32(message.subarray(MAGIC_AT)) !== message.readUInt32BE(CRC_AT)) {
    throw new MalformedError('the CRC of a message does not match');
  }
  const key = readField(message, keyAt);
  const value = readField(message, keyAt + 4 + (key?.length ?? 0));
  const attributes = message[ATTRIBUTES_AT];
  const timestamp = magic === 1 ? batch.int64(message, TIMESTAMP_AT) : batch.NO_TIMESTAMP;
  return { offset: batch.baseOffset(message, 0), sizeBytes, magic, attributes, timestamp, key, value };
}

function readField(message: Buffer, at: number): Buffer | null {
  if (at + 4 > message.length) throw new MalformedError('a field of a message is cut off');
  const length = message.readInt32BE(at);
  if (length < 0) return null;
  if (length > message.length - at - 4) throw new MalformedError(`a field of ${length} bytes`);
  return message.subarray(at + 4, at + 4 + length);
}

function toRecord(message: LegacyMessage, offset: number, timestamp: number): KafkaRecord {
  return { offset, timestamp, key: message.key, value: message.value, headers: NO_HEADERS };
}
