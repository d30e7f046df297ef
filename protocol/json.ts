/**
 * Messages as JSON, in the form of the JsonConverter classes that Kafka generates: field names in camelCase, bytes and
 * records in base64, uuids as 22 characters of base64url, int64 as a JSON number with all its digits, float64 always with
 * a fraction or an exponent, tagged fields left out where they have their default.
 *
 * `parseJson` and `stringifyJson` instead of JSON's own: a number that a double cannot hold is a bigint on our side.
 */
import { defaultOf, isDefault } from './defaults.ts';
import {
  type Field,
  type FieldShape,
  type Fields,
  inRange,
  type Message,
  type ReadOf,
  type WriteOf,
} from './schema.ts';

export type JsonValue = null | boolean | number | bigint | string | JsonFloat | JsonValue[] | JsonObject;
export interface JsonObject {
  [key: string]: JsonValue;
}

/** A float64, kept apart from the integers because Kafka takes no number without a fraction or an exponent for one. */
export class JsonFloat {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }

  /** What JSON.stringify writes; what JSON cannot say as a number, Kafka says as a string. */
  toJSON(): unknown {
    if (!Number.isFinite(this.value)) return String(this.value);
    const text = Object.is(this.value, -0) ? '-0' : String(this.value);
    return JSON.rawJSON(/[.e]/.test(text) ? text : `${text}.0`);
  }
}

/** The JSON is not that of the message. */
export class JsonFormError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'JsonFormError';
  }
}

/** Parses JSON text; throws SyntaxError. Integers beyond 2^53 become bigints, numbers with a fraction or exponent JsonFloats. */
export function parseJson(text: string): JsonValue {
  return JSON.parse(text, (_key, value: unknown, context: { source?: string }) => {
    if (typeof value !== 'number' || context.source === undefined) return value;
    if (/[.eE]/.test(context.source)) return new JsonFloat(value);
    return Number.isSafeInteger(value) ? value : BigInt(context.source);
  }) as JsonValue;
}

export function stringifyJson(value: JsonValue): string {
  return JSON.stringify(value, (_key, v: unknown) => (typeof v === 'bigint' ? JSON.rawJSON(v.toString()) : v));
}

/**
 * The JSON of a message's value in a version. Throws RangeError where the version cannot carry a field that is set, as
 * writing its bytes would.
 */
export function toJson<F extends Fields>(message: Message<F>, version: number, value: WriteOf<F>): JsonObject {
  requireVersion(message, version);
  return structToJson(message.fields, version, value as Record<string, unknown>);
}

function structToJson(fields: Fields, version: number, value: Record<string, unknown>): JsonObject {
  const json: JsonObject = {};
  for (const [key, field] of Object.entries(fields)) {
    const given = value[key];
    const present = inRange(field.versions, version);
    if (!present) {
      if (given !== undefined && field.options.ignorable !== true && !isDefault(field, given)) {
        throw new RangeError(`version ${version} cannot carry ${key}`);
      }
      continue;
    }
    const v = given === undefined ? defaultOf(field) : given;
    if (inRange(field.options.tagged, version) && isDefault(field, v)) continue;
    json[key] = shapeToJson(field.shape, version, v);
  }
  return json;
}

function shapeToJson(shape: FieldShape, version: number, v: unknown): JsonValue {
  if (v === null) return null;
  switch (shape.kind) {
    case 'bytes':
    case 'records':
      return (v as Buffer).toString('base64');
    case 'float64':
      return new JsonFloat(v as number);
    case 'array':
      return (v as unknown[]).map((element) => shapeToJson(shape.element, version, element));
    case 'struct':
      return structToJson(shape.fields, version, v as Record<string, unknown>);
    default:
      return v as JsonValue;
  }
}

/**
 * The value that the JSON says, ready to be written. Fields of the version may be left out only where they are tagged; what
 * the message does not know is passed over, as Kafka does. Throws JsonFormError with the path of what is wrong.
 */
export function fromJson<F extends Fields>(message: Message<F>, version: number, json: JsonValue): ReadOf<F> {
  requireVersion(message, version);
  return structFromJson(message.fields, version, json, message.name) as ReadOf<F>;
}

function structFromJson(fields: Fields, version: number, json: JsonValue, path: string): Record<string, unknown> {
  if (!isObject(json)) throw new JsonFormError(`${path} is not an object`);
  const value: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(fields)) {
    const given = Object.hasOwn(json, key) ? json[key] : undefined;
    if (given !== undefined) value[key] = fieldFromJson(field, version, given, `${path}.${key}`);
    else if (mayBeLeftOut(field, version)) value[key] = defaultOf(field);
    else throw new JsonFormError(`${path}.${key} is missing`);
  }
  return value;
}

const isObject = (json: JsonValue): json is JsonObject =>
  typeof json === 'object' && json !== null && !Array.isArray(json) && !(json instanceof JsonFloat);

function mayBeLeftOut(field: Field<unknown>, version: number): boolean {
  return !inRange(field.versions, version) || inRange(field.options.tagged, version);
}

function fieldFromJson(field: Field<unknown>, version: number, json: JsonValue, path: string): unknown {
  if (json !== null) return shapeFromJson(field.shape, version, json, path);
  if (inRange(field.options.nullable, version)) return null;
  throw new JsonFormError(`${path} cannot be null`);
}

function shapeFromJson(shape: FieldShape, version: number, json: JsonValue, path: string): unknown {
  switch (shape.kind) {
    case 'bool':
      if (typeof json !== 'boolean') throw new JsonFormError(`${path} is not a boolean`);
      return json;
    case 'string':
      return text(json, path);
    case 'uuid':
      if (!/^[A-Za-z0-9_-]{22}$/.test(text(json, path))) throw new JsonFormError(`${path} is not a uuid`);
      return json;
    case 'bytes':
    case 'records':
      return bytesFromJson(json, path);
    case 'float64':
      return floatFromJson(json, path);
    case 'array':
      if (!Array.isArray(json)) throw new JsonFormError(`${path} is not an array`);
      return json.map((element, i) => shapeFromJson(shape.element, version, element, `${path}[${i}]`));
    case 'struct':
      return structFromJson(shape.fields, version, json, path);
    default:
      return integerFromJson(shape.kind, json, path);
  }
}

function text(json: JsonValue, path: string): string {
  if (typeof json !== 'string') throw new JsonFormError(`${path} is not a string`);
  return json;
}

function bytesFromJson(json: JsonValue, path: string): Buffer {
  const bytes = Buffer.from(text(json, path), 'base64');
  if (bytes.toString('base64') !== json) throw new JsonFormError(`${path} is not base64`);
  return bytes;
}

function floatFromJson(json: JsonValue, path: string): number {
  if (json instanceof JsonFloat) return json.value;
  if (typeof json === 'number') return json;
  if (json === 'NaN' || json === 'Infinity' || json === '-Infinity') return Number(json);
  throw new JsonFormError(`${path} is not a number`);
}

const RANGES = {
  int8: [-0x80, 0x7f],
  int16: [-0x8000, 0x7fff],
  uint16: [0, 0xffff],
  int32: [-0x8000_0000, 0x7fff_ffff],
  uint32: [0, 0xffff_ffff],
  int64: [-0x8000_0000_0000_0000n, 0x7fff_ffff_ffff_ffffn],
} as const;

function integerFromJson(kind: keyof typeof RANGES, json: JsonValue, path: string): number | bigint {
  if (typeof json !== 'number' && typeof json !== 'bigint') throw new JsonFormError(`${path} is not an integer`);
  const [lowest, highest] = RANGES[kind];
  if (json < lowest || json > highest) throw new JsonFormError(`${path}: ${json} is not an ${kind}`);
  return json;
}

function requireVersion(message: Message, version: number): void {
  if (!inRange(message.versions, version)) throw new RangeError(`${message.name} has no version ${version}`);
}
