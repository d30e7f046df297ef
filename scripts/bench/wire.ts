/**
 * The few requests that the bench sends by itself, as hand-made bytes. They are independent of the project's own codecs, so
 * that a bench never measures a broker with the code under test, and all use the newest non-flexible versions of the
 * JSON schemas (ApiVersions 2, Metadata 1, ListOffsets 5, CreateTopics 4, Produce 7, Fetch 11), which every contestant serves.
 */

const API = {
  produce: 0,
  fetch: 1,
  listOffsets: 2,
  metadata: 3,
  apiVersions: 18,
  createTopics: 19,
  incrementalAlterConfigs: 44,
} as const;

const ERROR_TOPIC_ALREADY_EXISTS = 36;
const RECORD_BATCH_OVERHEAD_BYTES = 61;

/** Big-endian writer over a growing buffer. */
export class ByteWriter {
  private buffer = Buffer.allocUnsafe(256);
  private length = 0;

  private reserve(sizeBytes: number): number {
    const at = this.length;
    if (at + sizeBytes > this.buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, at + sizeBytes));
      this.buffer.copy(grown, 0, 0, at);
      this.buffer = grown;
    }
    this.length = at + sizeBytes;
    return at;
  }

  int8(value: number): this {
    const at = this.reserve(1);
    this.buffer.writeInt8(value, at);
    return this;
  }

  int16(value: number): this {
    const at = this.reserve(2);
    this.buffer.writeInt16BE(value, at);
    return this;
  }

  int32(value: number): this {
    const at = this.reserve(4);
    this.buffer.writeInt32BE(value, at);
    return this;
  }

  /** `value` must be a safe integer. */
  int64(value: number): this {
    const at = this.reserve(8);
    this.buffer.writeBigInt64BE(BigInt(value), at);
    return this;
  }

  string(value: string | null): this {
    if (value === null) return this.int16(-1);
    const bytes = Buffer.from(value);
    return this.int16(bytes.length).raw(bytes);
  }

  bytes(value: Buffer): this {
    return this.int32(value.length).raw(value);
  }

  raw(value: Buffer): this {
    const at = this.reserve(value.length);
    value.copy(this.buffer, at);
    return this;
  }

  array<T>(items: readonly T[], write: (item: T) => void): this {
    this.int32(items.length);
    for (const item of items) write(item);
    return this;
  }

  done(): Buffer {
    return this.buffer.subarray(0, this.length);
  }
}

/** Big-endian reader; a read past the end throws Node's RangeError. */
export class ByteReader {
  at = 0;
  readonly buffer: Buffer;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
  }

  int16(): number {
    this.at += 2;
    return this.buffer.readInt16BE(this.at - 2);
  }

  int32(): number {
    this.at += 4;
    return this.buffer.readInt32BE(this.at - 4);
  }

  int64(): number {
    this.at += 8;
    return this.buffer.readInt32BE(this.at - 8) * 0x1_0000_0000 + this.buffer.readUInt32BE(this.at - 4);
  }

  bool(): boolean {
    this.at += 1;
    return this.buffer.readInt8(this.at - 1) !== 0;
  }

  string(): string | null {
    const sizeBytes = this.int16();
    if (sizeBytes < 0) return null;
    this.at += sizeBytes;
    return this.buffer.toString('utf8', this.at - sizeBytes, this.at);
  }

  /** A view of the bytes, not a copy; empty for null. */
  bytes(): Buffer {
    const sizeBytes = Math.max(0, this.int32());
    this.at += sizeBytes;
    return this.buffer.subarray(this.at - sizeBytes, this.at);
  }

  array<T>(read: () => T): T[] {
    const count = this.int32();
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(read());
    return items;
  }
}

/** A whole request frame: size, header v1, body. */
export function frame(apiKey: number, apiVersion: number, correlationId: number, body: Buffer): Buffer {
  const header = new ByteWriter().int16(apiKey).int16(apiVersion).int32(correlationId).string('odradek-bench').done();
  return new ByteWriter()
    .int32(header.length + body.length)
    .raw(header)
    .raw(body)
    .done();
}

export function apiVersionsRequest(correlationId: number): Buffer {
  return frame(API.apiVersions, 2, correlationId, Buffer.alloc(0));
}

/** @param topics null asks for all topics, [] for none */
export function metadataRequest(correlationId: number, topics: readonly string[] | null): Buffer {
  const writer = new ByteWriter();
  if (topics === null) writer.int32(-1);
  else writer.array(topics, (topic) => writer.string(topic));
  return frame(API.metadata, 1, correlationId, writer.done());
}

export interface Metadata {
  brokers: number;
  /** Per topic: its error code and the leaders of its partitions (-1: none yet). */
  topics: { errorCode: number; name: string; leaders: number[] }[];
}

/** @param payload the response after its correlation id */
export function readMetadata(payload: Buffer): Metadata {
  const reader = new ByteReader(payload);
  const brokers = reader.array(() => [reader.int32(), reader.string(), reader.int32(), reader.string()]).length;
  reader.int32(); // controller id
  const topics = reader.array(() => {
    const errorCode = reader.int16();
    const name = reader.string() ?? '';
    reader.bool();
    const leaders = reader.array(() => {
      reader.int16();
      reader.int32();
      const leader = reader.int32();
      reader.array(() => reader.int32());
      reader.array(() => reader.int32());
      return leader;
    });
    return { errorCode, name, leaders };
  });
  return { brokers, topics };
}

/** What the topics of one request have in common: one replica, so many partitions, configuration by Kafka's names. */
export interface TopicShape {
  readonly partitions: number;
  readonly configs?: Readonly<Record<string, string>>;
}

export function createTopicsRequest(correlationId: number, topics: readonly string[], shape: TopicShape): Buffer {
  const writer = new ByteWriter();
  writer.array(topics, (topic) => {
    writer.string(topic).int32(shape.partitions).int16(1).int32(0);
    writer.array(Object.entries(shape.configs ?? {}), ([name, value]) => writer.string(name).string(value));
  });
  writer.int32(30_000).int8(0);
  return frame(API.createTopics, 4, correlationId, writer.done());
}

/** Throws unless every topic was created or was there already. */
export function checkCreateTopics(payload: Buffer): void {
  const reader = new ByteReader(payload);
  reader.int32(); // throttle
  reader.array(() => {
    const name = reader.string();
    const errorCode = reader.int16();
    const message = reader.string();
    if (errorCode !== 0 && errorCode !== ERROR_TOPIC_ALREADY_EXISTS) {
      throw new Error(`CreateTopics ${name}: error ${errorCode} ${message ?? ''}`);
    }
  });
}

/** Whose configuration, and what to set. A broker without a name: all of them. */
export interface ConfigOf {
  readonly type: 'topic' | 'broker';
  readonly name: string;
  readonly configs: Readonly<Record<string, string>>;
}

const RESOURCE_TYPES = { topic: 2, broker: 4 } as const;
const SET = 0;

export function alterConfigsRequest(correlationId: number, { type, name, configs }: ConfigOf): Buffer {
  const writer = new ByteWriter().int32(1).int8(RESOURCE_TYPES[type]).string(name);
  writer.array(Object.entries(configs), ([key, value]) => writer.string(key).int8(SET).string(value));
  return frame(API.incrementalAlterConfigs, 0, correlationId, writer.int8(0).done());
}

/** Throws unless the one resource was altered. */
export function checkAlterConfigs(payload: Buffer): void {
  const reader = new ByteReader(payload);
  reader.int32(); // throttle
  reader.int32(); // one resource
  const errorCode = reader.int16();
  if (errorCode !== 0) throw new Error(`IncrementalAlterConfigs: error ${errorCode} ${reader.string() ?? ''}`);
}

/** One topic, acks=all; one batch for each partition given. */
export function produceRequest(correlationId: number, topic: string, partitions: number[], batch: Buffer): Buffer {
  const writer = new ByteWriter().string(null).int16(-1).int32(30_000).int32(1).string(topic);
  writer.array(partitions, (partition) => writer.int32(partition).bytes(batch));
  return frame(API.produce, 7, correlationId, writer.done());
}

/** Throws on the first partition with an error; gives the base offset of the last partition in the answer. */
export function checkProduce(payload: Buffer): number {
  const reader = new ByteReader(payload);
  let baseOffset = -1;
  for (let topics = reader.int32(); topics > 0; topics--) {
    reader.string();
    for (let partitions = reader.int32(); partitions > 0; partitions--) {
      const partition = reader.int32();
      const errorCode = reader.int16();
      baseOffset = reader.int64();
      reader.at += 16; // log append time, log start offset
      if (errorCode !== 0) throw new Error(`Produce to partition ${partition}: error ${errorCode}`);
    }
  }
  return baseOffset;
}

const LATEST_TIMESTAMP = -1;

/** The end offsets of the partitions 0 to `partitions` - 1 of a topic. Only their leader answers without an error. */
export function endOffsetsRequest(correlationId: number, topic: string, partitions: number): Buffer {
  const writer = new ByteWriter().int32(-1).int8(0).int32(1).string(topic).int32(partitions);
  for (let partition = 0; partition < partitions; partition++)
    writer.int32(partition).int32(-1).int64(LATEST_TIMESTAMP);
  return frame(API.listOffsets, 5, correlationId, writer.done());
}

/** Calls `each` for every partition, whatever its error code. */
export function readEndOffsets(
  payload: Buffer,
  each: (partition: number, errorCode: number, endOffset: number) => void,
): void {
  const reader = new ByteReader(payload);
  reader.int32(); // throttle
  reader.array(() => {
    reader.string();
    reader.array(() => {
      const partition = reader.int32();
      const errorCode = reader.int16();
      reader.int64(); // timestamp
      each(partition, errorCode, reader.int64());
      reader.int32(); // leader epoch
    });
  });
}

export interface FetchShape {
  maxWaitMs: number;
  minBytes: number;
  maxBytes: number;
  partitionMaxBytes: number;
}

/** One topic, without a fetch session. */
export function fetchRequest(
  correlationId: number,
  topic: string,
  partitions: readonly { partition: number; offset: number }[],
  shape: FetchShape,
): Buffer {
  const writer = new ByteWriter().int32(-1).int32(shape.maxWaitMs).int32(shape.minBytes).int32(shape.maxBytes).int8(0);
  writer.int32(0).int32(-1).int32(1).string(topic);
  writer.array(partitions, ({ partition, offset }) => {
    writer.int32(partition).int32(-1).int64(offset).int64(-1).int32(shape.partitionMaxBytes);
  });
  writer.int32(0).string('');
  return frame(API.fetch, 11, correlationId, writer.done());
}

/** The error code of the whole answer is already checked; the records are a view into the payload. */
export type FetchedPartition = (partition: number, errorCode: number, records: Buffer, highWatermark: number) => void;

/** Calls `each` for every partition, whatever its error code. Throws when the request as a whole was refused. */
export function readFetchAnswers(payload: Buffer, each: FetchedPartition): void {
  const reader = new ByteReader(payload);
  reader.int32(); // throttle
  const errorCode = reader.int16();
  if (errorCode !== 0) throw new Error(`Fetch: error ${errorCode}`);
  reader.int32(); // session id
  for (let topics = reader.int32(); topics > 0; topics--) {
    reader.string();
    for (let partitions = reader.int32(); partitions > 0; partitions--) {
      const partition = reader.int32();
      const partitionError = reader.int16();
      const highWatermark = reader.int64();
      reader.at += 16; // last stable offset, log start offset
      reader.array(() => [reader.int64(), reader.int64()]); // aborted transactions
      reader.int32(); // preferred read replica
      each(partition, partitionError, reader.bytes(), highWatermark);
    }
  }
}

/** Like readFetchAnswers, but throws on the first partition with an error code. */
export function readFetch(
  payload: Buffer,
  each: (partition: number, records: Buffer, highWatermark: number) => void,
): void {
  readFetchAnswers(payload, (partition, errorCode, records, highWatermark) => {
    if (errorCode !== 0) throw new Error(`Fetch from partition ${partition}: error ${errorCode}`);
    each(partition, records, highWatermark);
  });
}

export interface BatchView {
  baseOffset: number;
  /** The offset after the batch. */
  nextOffset: number;
  records: number;
  bytes: Buffer;
}

/** Walks the headers of the whole batches in a records field; a batch cut off at the end is left out. */
export function eachBatch(records: Buffer, each: (batch: BatchView) => void): void {
  let at = 0;
  while (at + RECORD_BATCH_OVERHEAD_BYTES <= records.length) {
    const sizeBytes = 12 + records.readInt32BE(at + 8);
    if (at + sizeBytes > records.length) return;
    const baseOffset = records.readInt32BE(at) * 0x1_0000_0000 + records.readUInt32BE(at + 4);
    each({
      baseOffset,
      nextOffset: baseOffset + records.readInt32BE(at + 23) + 1,
      records: records.readInt32BE(at + 57),
      bytes: records.subarray(at, at + sizeBytes),
    });
    at += sizeBytes;
  }
}
