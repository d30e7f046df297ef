/**
 * Turns a declared message and a version into a reader and a writer: straight-line JavaScript made on first use
 * (DESIGN decision 2). No branch on the version is left in the code that runs.
 *
 * The source text is put together from names and numbers of our own declarations only, never from input.
 */
import { forbidden, Reader } from './reader.ts';
import {
  type Field,
  type FieldShape,
  type Fields,
  inRange,
  type Message,
  parseRange,
  type ReadOf,
  type WriteOf,
} from './schema.ts';
import { ZERO_UUID } from './uuid.ts';
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
  versions[version] ??= compile(message, version);
  return versions[version] as Codec<ReadOf<F>, WriteOf<F>>;
}

const cache = new WeakMap<Message, Codec<unknown, unknown>[]>();

function compile(message: Message, version: number): Codec<unknown, unknown> {
  if (!inRange(message.versions, version)) throw new RangeError(`${message.name} has no version ${version}`);
  const unit = new Unit(version, inRange(message.flexible, version));
  const read = unit.readStruct(message.name, message.fields);
  const write = unit.writeStruct(message.name, message.fields);
  const source = `'use strict';\n${unit.functions.join('\n')}\nreturn { read: ${read}, write: ${write} };`;
  return new Function('forbidden', 'malformed', 'constants', source)(forbidden, Reader.malformed, unit.constants);
}

/** The functions of one message in one version, as source text. */
class Unit {
  readonly functions: string[] = [];
  readonly constants: unknown[] = [];
  private readonly version: number;
  private readonly flexible: boolean;
  private names = 0;

  constructor(version: number, flexible: boolean) {
    this.version = version;
    this.flexible = flexible;
  }

  private constant(value: unknown): string {
    return `constants[${this.constants.push(value) - 1}]`;
  }

  private present(field: AnyField): boolean {
    return inRange(field.versions, this.version);
  }
  private tagged(field: AnyField): boolean {
    return this.present(field) && inRange(field.options.tagged, this.version);
  }
  private nullable(field: AnyField): boolean {
    return inRange(field.options.nullable, this.version);
  }
  private compact(field: AnyField): boolean {
    return this.flexible && field.options.flexible !== 'none';
  }

  // --- reading ---

  /** Adds a function that reads the struct and returns its name. */
  readStruct(label: string, fields: Fields): string {
    const name = `read${label}${this.names++}`;
    const body: string[] = [];
    const tags: string[] = [];
    const entries = Object.entries(fields);
    entries.forEach(([key, field], i) => {
      if (this.present(field) && !this.tagged(field)) body.push(`const f${i} = ${this.readValue(key, field)};`);
      else body.push(`let f${i} = ${this.defaultValue(field)};`);
      if (this.tagged(field)) {
        tags.push(`case ${field.options.tag}: f${i} = ${this.readTagged(key, field)}; break;`);
      }
    });
    if (this.flexible) body.push(tags.length === 0 ? 'r.skipTags();' : readTags(tags));
    const object = entries.map(([key], i) => `${key}: f${i}`).join(', ');
    this.functions.push(`function ${name}(r) {\n${body.join('\n')}\nreturn { ${object} };\n}`);
    return name;
  }

  private readValue(key: string, field: AnyField): string {
    return this.readShape(key, field.shape, this.nullable(field), this.compact(field));
  }

  /** Within a tagged section a struct's presence is a varint, 0 or 1, and not the byte -1 or 1 as elsewhere. */
  private readTagged(key: string, field: AnyField): string {
    if (field.shape.kind !== 'struct' || !this.nullable(field)) return this.readValue(key, field);
    return `(r.uvarint() === 0 ? null : ${this.readStruct(capital(key), field.shape.fields)}(r))`;
  }

  private readShape(key: string, shape: FieldShape, nullable: boolean, compact: boolean): string {
    switch (shape.kind) {
      case 'string':
      case 'bytes':
      case 'records': {
        const type = shape.kind === 'string' ? 'string' : 'bytes';
        const method = compact ? `compact${capital(type)}` : type;
        return nullable ? `r.${method}OrNull()` : `r.${method}('${key}')`;
      }
      case 'array':
        return `${this.readArray(key, shape.element, nullable, compact)}(r)`;
      case 'struct': {
        const read = `${this.readStruct(capital(key), shape.fields)}(r)`;
        return nullable ? `(r.int8() < 0 ? null : ${read})` : read;
      }
      default:
        return `r.${shape.kind}()`;
    }
  }

  private readArray(key: string, element: FieldShape, nullable: boolean, compact: boolean): string {
    const one = this.readShape(key, element, false, compact);
    const name = `readArray${capital(key)}${this.names++}`;
    const length = compact ? 'compactArrayLength' : 'arrayLength';
    this.functions.push(`function ${name}(r) {
const n = r.${length}(${Math.max(1, this.minBytes(element, compact))});
if (n < 0) ${nullable ? 'return null' : `forbidden('${key}')`};
const out = [];
for (let i = 0; i < n; i++) out.push(${one});
return out;
}`);
    return name;
  }

  /** The fewest bytes that a value of this shape takes: what bounds the length of an array before it is read. */
  private minBytes(shape: FieldShape, compact: boolean): number {
    switch (shape.kind) {
      case 'string':
        return compact ? 1 : 2;
      case 'bytes':
      case 'records':
      case 'array':
        return compact ? 1 : 4;
      case 'struct': {
        let sum = this.flexible ? 1 : 0;
        for (const field of Object.values(shape.fields)) {
          if (!this.present(field) || this.tagged(field)) continue;
          sum +=
            field.shape.kind === 'struct' && this.nullable(field) ? 1 : this.minBytes(field.shape, this.compact(field));
        }
        return sum;
      }
      default:
        return FIXED_BYTES[shape.kind];
    }
  }

  /** An expression for the field's default value. */
  private defaultValue(field: AnyField): string {
    const { shape, options } = field;
    if (options.default !== undefined) {
      return typeof options.default === 'bigint' ? this.constant(options.default) : JSON.stringify(options.default);
    }
    switch (shape.kind) {
      case 'bool':
        return 'false';
      case 'string':
        return "''";
      case 'uuid':
        return `'${ZERO_UUID}'`;
      case 'bytes':
      case 'records':
        return this.constant(EMPTY_BYTES);
      case 'array':
        return '[]';
      case 'struct':
        return `{ ${Object.entries(shape.fields)
          .map(([key, f]) => `${key}: ${this.defaultValue(f)}`)
          .join(', ')} }`;
      default:
        return '0';
    }
  }

  // --- writing ---

  /** Adds a function that writes the struct and returns its name. */
  writeStruct(label: string, fields: Fields): string {
    const name = `write${label}${this.names++}`;
    const body: string[] = [];
    const tagged: [number, string, string, string][] = [];
    for (const [key, field] of Object.entries(fields)) {
      if (!this.present(field)) {
        if (!field.options.ignorable) body.push(this.refuse(key, field));
        continue;
      }
      const value = `(v.${key} === undefined ? ${this.defaultValue(field)} : v.${key})`;
      if (this.tagged(field)) {
        tagged.push([field.options.tag as number, value, this.differs(field, 'x'), this.writeTagged(key, field)]);
        continue;
      }
      const write = this.writeValue(key, field, 'x');
      if (isPrimitive(field.shape)) body.push(write.replace(/\bx\b/, () => value));
      else body.push(`{ const x = ${value}; ${write} }`);
    }
    if (this.flexible) body.push(writeTags(tagged));
    this.functions.push(`function ${name}(w, v) {\n${body.join('\n')}\n}`);
    return name;
  }

  /** A set value that this version cannot carry must not be dropped in silence. */
  private refuse(key: string, field: AnyField): string {
    return `if (v.${key} !== undefined) { const x = v.${key}; if (${this.differs(field, 'x')}) throw new RangeError('version ${this.version} cannot carry ${key}'); }`;
  }

  private writeValue(key: string, field: AnyField, x: string): string {
    return this.writeShape(key, field.shape, this.nullable(field), this.compact(field), x);
  }

  private writeTagged(key: string, field: AnyField): string {
    if (field.shape.kind !== 'struct' || !this.nullable(field)) return this.writeValue(key, field, 'x');
    const write = this.writeStruct(capital(key), field.shape.fields);
    return `if (x === null) w.uvarint(0); else { w.uvarint(1); ${write}(w, x); }`;
  }

  private writeShape(key: string, shape: FieldShape, nullable: boolean, compact: boolean, x: string): string {
    switch (shape.kind) {
      case 'string':
      case 'bytes':
      case 'records': {
        const type = shape.kind === 'string' ? 'string' : 'bytes';
        return `w.${compact ? `compact${capital(type)}` : type}${nullable ? 'OrNull' : ''}(${x});`;
      }
      case 'array': {
        const length = compact ? 'w.compactArrayLength' : 'w.arrayLength';
        const one = this.writeShape(key, shape.element, false, compact, `${x}[i]`);
        const loop = `${length}(${x}.length); for (let i = 0; i < ${x}.length; i++) { ${one} }`;
        return nullable ? `if (${x} === null) ${length}(-1); else { ${loop} }` : loop;
      }
      case 'struct': {
        const write = `${this.writeStruct(capital(key), shape.fields)}(w, ${x});`;
        return nullable ? `if (${x} === null) w.int8(-1); else { w.int8(1); ${write} }` : write;
      }
      default:
        return `w.${shape.kind}(${x});`;
    }
  }

  /** An expression: true where x is not the field's default. */
  private differs(field: AnyField, x: string): string {
    const { shape, options } = field;
    if (options.default === null) return `${x} !== null`;
    switch (shape.kind) {
      case 'bytes':
      case 'records':
      case 'array':
        return `(${x} === null || ${x}.length !== 0)`;
      case 'struct': {
        const parts = Object.entries(shape.fields).map(
          ([key, f]) => `(${x}.${key} !== undefined && ${this.differs(f, `${x}.${key}`)})`,
        );
        return `(${x} === null || ${parts.join(' || ')})`;
      }
      default:
        return `${x} !== ${this.defaultValue(field)}`;
    }
  }
}

type AnyField = Field<unknown, unknown>;

const EMPTY_BYTES = Buffer.alloc(0);

const FIXED_BYTES = { bool: 1, int8: 1, int16: 2, uint16: 2, int32: 4, uint32: 4, int64: 8, float64: 8, uuid: 16 };

const isPrimitive = (shape: FieldShape): boolean => shape.kind !== 'array' && shape.kind !== 'struct';

const capital = (s: string): string => s[0].toUpperCase() + s.slice(1);

function readTags(cases: string[]): string {
  return `for (let left = r.uvarint(); left > 0; left--) {
const tag = r.uvarint(), size = r.uvarint(), end = r.pos + size;
switch (tag) {
${cases.join('\n')}
default: r.skip(size);
}
if (r.pos !== end) malformed('tag ' + tag + ' is not ' + size + ' bytes long');
}`;
}

function writeTags(tagged: [tag: number, value: string, differs: string, write: string][]): string {
  if (tagged.length === 0) return 'w.int8(0);';
  const sorted = [...tagged].sort((a, b) => a[0] - b[0]);
  const count = sorted.map(
    ([tag, value, differs]) => `const t${tag} = ${value}; { const x = t${tag}; if (${differs}) n++; }`,
  );
  const fields = sorted.map(
    ([tag, , differs, write]) => `{ const x = t${tag}; if (${differs}) w.tagged(${tag}, (w) => { ${write} }); }`,
  );
  return `let n = 0;\n${count.join('\n')}\nw.uvarint(n);\nif (n > 0) {\n${fields.join('\n')}\n}`;
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
