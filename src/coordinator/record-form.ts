/**
 * The binary form of coordinators' records: key and value each begin with an int16, in the key the kind of record, in the value
 * its version.
 */
import { codec } from '../../protocol/compile.ts';
import { MalformedError } from '../../protocol/malformed.ts';
import { Reader } from '../../protocol/reader.ts';
import type { InputOf, Message, MessageOf } from '../../protocol/schema.ts';
import { Writer } from '../../protocol/writer.ts';
import type { CoordinatorRecord } from './log.ts';

/** One kind of record: the schemas of its key and value, and the version in which values are written. */
export class RecordForm<K extends Message, V extends Message> {
  /** What its keys begin with. */
  readonly kind: number;
  private readonly key: K;
  private readonly value: V;
  private readonly version: number;
  private readonly maxVersion: number;

  /** `version`: the one that is written; `maxVersion`: the newest that can be read. */
  constructor(key: K, value: V, version: number, maxVersion = version) {
    this.kind = key.apiKey as number;
    this.key = key;
    this.value = value;
    this.version = version;
    this.maxVersion = maxVersion;
  }

  /** A null value is a tombstone. */
  encode(key: InputOf<K>, value: InputOf<V> | null, version = this.version): CoordinatorRecord {
    return {
      key: prefixed(this.kind, this.key, 0, key),
      value: value && prefixed(version, this.value, version, value),
    };
  }

  /** The key behind its kind. Throws MalformedError. */
  decodeKey(reader: Reader): MessageOf<K> {
    return codec(this.key, 0).read(reader) as MessageOf<K>;
  }

  /** Byte fields are views of `value`. Throws MalformedError. */
  decodeValue(value: Buffer): MessageOf<V> {
    const reader = new Reader(value);
    const version = reader.int16();
    if (version < 0 || version > this.maxVersion) throw new MalformedError(`${this.value.name} version ${version}`);
    return codec(this.value, version).read(reader) as MessageOf<V>;
  }
}

function prefixed(prefix: number, message: Message, version: number, fields: object): Buffer {
  const writer = new Writer(128);
  writer.int16(prefix);
  codec(message, version).write(writer, fields);
  return writer.toBuffer();
}
