/**
 * The vocabulary in which every message of the protocol is declared. A declaration is data: fields in wire order, each with
 * the versions in which it is present; TypeScript infers the object type from it; compile.ts turns it into a reader and
 * a writer for one version. Source of the facts: the JSON message definitions of Apache Kafka 4.3.1, held against these by
 * `scripts/compare-schemas.ts`.
 *
 * Ranges are written as Kafka writes them: '0+', '3-13', '2', 'none'.
 */
import type { DeferredBytes } from './deferred-bytes.ts';
import type { Int64 } from './int64.ts';

export type Range = string;

export type PrimitiveKind =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'float64'
  | 'string'
  | 'bytes'
  | 'records'
  | 'uuid';

/** What an element of each primitive kind is in memory; uuid: 22 characters of base64url; bytes: a view, not a copy. */
export interface PrimitiveTypes {
  bool: boolean;
  int8: number;
  int16: number;
  uint16: number;
  int32: number;
  uint32: number;
  int64: Int64;
  float64: number;
  string: string;
  bytes: Buffer;
  records: Buffer;
  uuid: string;
}

export interface FieldOptions {
  /** Versions in which null is allowed. */
  readonly nullable?: Range;
  /** Value in versions without the field and when a writer leaves it out; without it: zero, empty or false. */
  readonly default?: boolean | number | bigint | string | null;
  /** Tag number; the field then travels in the tagged section of the versions `tagged` (KIP-482). */
  readonly tag?: number;
  readonly tagged?: Range;
  /** True when a set value may be dropped silently in a version without the field; otherwise writing it throws. */
  readonly ignorable?: boolean;
  /** Overrides the message's flexible versions for this field (RequestHeader.clientId is never compact). */
  readonly flexible?: Range;
}

export type FieldShape =
  | { readonly kind: PrimitiveKind }
  | { readonly kind: 'array'; readonly element: FieldShape }
  | { readonly kind: 'struct'; readonly fields: Fields };

/** A declared field: `Read` is what a reader yields, `Write` what a writer takes. */
export interface Field<Read, Write = Read> {
  readonly shape: FieldShape;
  readonly versions: Range;
  readonly options: FieldOptions;
  /** Never set: it carries the types. */
  readonly types?: { read: Read; write: Write };
}

// biome-ignore lint/suspicious/noExplicitAny: the supertype of all fields; variance leaves no other way to say it
export type Fields = Readonly<Record<string, Field<any, any>>>;

/** The object a reader yields for these fields. */
export type ReadOf<F extends Fields> = { -readonly [K in keyof F]: F[K] extends Field<infer R, infer _W> ? R : never };
/** The object a writer takes: what is left out is written as its default. */
export type WriteOf<F extends Fields> = { readonly [K in keyof F]?: F[K] extends Field<infer _R, infer W> ? W : never };

type Nullable<T, O> = O extends { nullable: string } ? T | null : T;

function primitive<K extends PrimitiveKind>(kind: K) {
  const shape = { kind };
  return <const O extends FieldOptions>(versions: Range, options?: O): Field<Nullable<PrimitiveTypes[K], O>> => ({
    shape,
    versions,
    options: options ?? NO_OPTIONS,
  });
}

const NO_OPTIONS: FieldOptions = {};

export const bool = primitive('bool');
export const int8 = primitive('int8');
export const int16 = primitive('int16');
export const uint16 = primitive('uint16');
export const int32 = primitive('int32');
export const int64 = primitive('int64');
export const float64 = primitive('float64');
export const string = primitive('string');
export const bytes = primitive('bytes');

export const uuid = primitive('uuid');

/** Record batches: read as a view of the frame; a writer also takes bytes that are fetched when they are sent. */
export function records<const O extends FieldOptions>(
  versions: Range,
  options?: O,
): Field<Nullable<Buffer, O>, Nullable<Buffer | DeferredBytes, O>> {
  return { shape: { kind: 'records' }, versions, options: options ?? NO_OPTIONS };
}

/** An array of structs. */
export function array<const F extends Fields, const O extends FieldOptions>(
  versions: Range,
  fields: F,
  options?: O,
): Field<Nullable<ReadOf<F>[], O>, Nullable<readonly WriteOf<F>[], O>> {
  return { shape: { kind: 'array', element: { kind: 'struct', fields } }, versions, options: options ?? NO_OPTIONS };
}

/** An array of a primitive kind. */
export function arrayOf<K extends PrimitiveKind, const O extends FieldOptions>(
  versions: Range,
  kind: K,
  options?: O,
): Field<Nullable<PrimitiveTypes[K][], O>, Nullable<readonly PrimitiveTypes[K][], O>> {
  return { shape: { kind: 'array', element: { kind } }, versions, options: options ?? NO_OPTIONS };
}

/** One nested struct. */
export function struct<const F extends Fields, const O extends FieldOptions>(
  versions: Range,
  fields: F,
  options?: O,
): Field<Nullable<ReadOf<F>, O>, Nullable<WriteOf<F>, O>> {
  return { shape: { kind: 'struct', fields }, versions, options: options ?? NO_OPTIONS };
}

export type MessageKind =
  | 'request'
  | 'response'
  | 'header'
  | 'data'
  | 'metadata'
  | 'coordinator-key'
  | 'coordinator-value';

export type Listener = 'broker' | 'controller';

export interface Message<F extends Fields = Fields> {
  readonly kind: MessageKind;
  readonly name: string;
  /** The API key of requests and responses, the record type of metadata and coordinator records, else null. */
  readonly apiKey: number | null;
  readonly versions: Range;
  readonly flexible: Range;
  /** On requests: the listeners on which Kafka serves the API. */
  readonly listeners: readonly Listener[];
  /** True where the newest version is not yet stable in Kafka 4.3.1 and so is not advertised. */
  readonly latestVersionUnstable: boolean;
  readonly fields: F;
}

/** The object that reading message M yields. */
export type MessageOf<M extends Message> = ReadOf<M['fields']>;
/** The object that writing message M takes; fields left out are written as their defaults. */
export type InputOf<M extends Message> = WriteOf<M['fields']>;

interface Declaration {
  name: string;
  apiKey?: number;
  versions: Range;
  flexible: Range;
  listeners?: readonly Listener[];
  latestVersionUnstable?: boolean;
}

function declare<F extends Fields>(kind: MessageKind, d: Declaration, fields: F): Message<F> {
  return {
    kind,
    name: d.name,
    apiKey: d.apiKey ?? null,
    versions: d.versions,
    flexible: d.flexible,
    listeners: d.listeners ?? [],
    latestVersionUnstable: d.latestVersionUnstable ?? false,
    fields,
  };
}

type WithKey = Declaration & { apiKey: number };

export function request<const F extends Fields>(
  d: WithKey & { listeners: readonly Listener[] },
  fields: F,
): Message<F> {
  return declare('request', d, fields);
}
export function response<const F extends Fields>(d: WithKey, fields: F): Message<F> {
  return declare('response', d, fields);
}
export function header<const F extends Fields>(d: Declaration, fields: F): Message<F> {
  return declare('header', d, fields);
}
export function data<const F extends Fields>(d: Declaration, fields: F): Message<F> {
  return declare('data', d, fields);
}
export function metadata<const F extends Fields>(d: WithKey, fields: F): Message<F> {
  return declare('metadata', d, fields);
}
export function coordinatorKey<const F extends Fields>(d: WithKey, fields: F): Message<F> {
  return declare('coordinator-key', d, fields);
}
export function coordinatorValue<const F extends Fields>(d: WithKey, fields: F): Message<F> {
  return declare('coordinator-value', d, fields);
}

const MAX_VERSION = 0x7fff;

/** '3-13' -> [3, 13]; '2+' -> [2, 32767]; 'none' -> null. */
export function parseRange(range: Range): readonly [number, number] | null {
  if (range === 'none') return null;
  if (range.endsWith('+')) return [Number(range.slice(0, -1)), MAX_VERSION];
  const dash = range.indexOf('-');
  if (dash < 0) return [Number(range), Number(range)];
  return [Number(range.slice(0, dash)), Number(range.slice(dash + 1))];
}

export function inRange(range: Range | undefined, version: number): boolean {
  if (range === undefined) return false;
  const parsed = parseRange(range);
  return parsed !== null && version >= parsed[0] && version <= parsed[1];
}
