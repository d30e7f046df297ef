/**
 * Turns a declared message and a version into a reader and a writer: straight-line JavaScript made on first use
 * (DESIGN decision 2). No branch on the version is left in the code that runs.
 *
 * The source text is put together from names and numbers of our own declarations only, never from input.
 */

import { ReadSource } from './compile-reader.ts';
import { Rules } from './compile-rules.ts';
import { WriteSource } from './compile-writer.ts';
import { forbidden, Reader } from './reader.ts';
import { type Fields, inRange, type Message, parseRange, type ReadOf, type WriteOf } from './schema.ts';
import { Writer } from './writer.ts';

export interface Codec<R, W> {
  read(reader: Reader): R;
  write(writer: Writer, value: W): void;
}

/** The codec of one message in one version; made once. Throws RangeError for a version the message does not have. */
export function codec<F extends Fields>(message: Message<F>, version: number): Codec<ReadOf<F>, WriteOf<F>> {
  let versions = cache.get(message);
  if (versions === undefined) {
    versions = [];
    cache.set(message, versions);
  }
  versions[version] ??= new LazyCodec(message, version);
  return versions[version] as Codec<ReadOf<F>, WriteOf<F>>;
}

const cache = new WeakMap<Message, Codec<unknown, unknown>[]>();

/** Compiles each direction when it is first used: a broker reads requests and writes responses, not both of each. */
class LazyCodec implements Codec<unknown, unknown> {
  read: (reader: Reader) => unknown;
  write: (writer: Writer, value: unknown) => void;

  constructor(message: Message, version: number) {
    if (!inRange(message.versions, version)) throw new RangeError(`${message.name} has no version ${version}`);
    this.read = (reader) => {
      this.read = compileReader(message, version);
      return this.read(reader);
    };
    this.write = (writer, value) => {
      this.write = compileWriter(message, version);
      this.write(writer, value);
    };
  }
}

function compileReader(message: Message, version: number): (reader: Reader) => unknown {
  const rules = new Rules(version, inRange(message.flexible, version));
  const unit = new ReadSource(rules);
  const main = unit.struct(message.name, message.fields);
  const source = `'use strict';\n${unit.functions.join('\n')}\nreturn ${main};`;
  return new Function('forbidden', 'malformed', 'constants', source)(forbidden, Reader.malformed, rules.constants);
}

function compileWriter(message: Message, version: number): (writer: Writer, value: unknown) => void {
  const rules = new Rules(version, inRange(message.flexible, version));
  const unit = new WriteSource(rules);
  const main = unit.struct(message.name, message.fields);
  const source = `'use strict';\n${unit.functions.join('\n')}\nreturn ${main};`;
  return new Function('constants', source)(rules.constants);
}

/** Reads a whole message; bytes left over are malformed, as they are in Kafka. */
export function decode<F extends Fields>(message: Message<F>, version: number, buf: Buffer): ReadOf<F> {
  const reader = new Reader(buf);
  const value = codec(message, version).read(reader);
  if (reader.remaining() > 0) Reader.malformed(`${reader.remaining()} bytes left over after ${message.name}`);
  return value;
}

/** Writes a whole message into one buffer. */
export function encode<F extends Fields>(message: Message<F>, version: number, value: WriteOf<F>): Buffer {
  const writer = new Writer();
  codec(message, version).write(writer, value);
  return writer.toBuffer();
}

/** The versions of a message, lowest and highest. */
export function versionsOf(message: Message): readonly [number, number] {
  const range = parseRange(message.versions);
  if (range === null) throw new RangeError(`${message.name} has no version`);
  return range;
}
