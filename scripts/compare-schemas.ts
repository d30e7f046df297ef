#!/usr/bin/env node
/**
 * Holds every declaration of protocol/ against the JSON message definitions in Apache Kafka's jars, field by field.
 *
 *   node scripts/compare-schemas.ts [DIR]     DIR: definitions already unpacked (compat-tests/oracle/main.ts schemas DIR)
 *
 * Prints each difference and, last, what was compared; exits with 1 where there is a difference.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { allMessages } from '../protocol/all-messages.ts';
import { RequestHeader, ResponseHeader } from '../protocol/header-schemas.ts';
import type { Field, FieldShape, Fields, Message } from '../protocol/schema.ts';

interface JsonField {
  name: string;
  type: string;
  versions?: string;
  nullableVersions?: string;
  taggedVersions?: string;
  tag?: number;
  default?: string | number | boolean | null;
  ignorable?: boolean | string;
  flexibleVersions?: string;
  fields?: JsonField[];
}

interface JsonMessage {
  name: string;
  type: string;
  apiKey?: number;
  validVersions: string;
  flexibleVersions?: string;
  listeners?: string[];
  latestVersionUnstable?: boolean;
  fields?: JsonField[];
  commonStructs?: JsonField[];
}

const differences: string[] = [];
const counts = { messages: 0, fields: 0, properties: 0 };

function compare(where: string, property: string, ours: unknown, theirs: unknown): void {
  counts.properties++;
  const a = JSON.stringify(ours, printBigint);
  const b = JSON.stringify(theirs, printBigint);
  if (a !== b) differences.push(`${where}: ${property} is ${a}, in Kafka ${b}`);
}

const printBigint = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value);

const compareNames = (a: string, b: string): number => (a < b ? -1 : 1);

/** Comments are allowed in Kafka's definitions, on lines of their own and after values. */
function parseDefinition(text: string): JsonMessage {
  return JSON.parse(
    text.replace(/("(?:[^"\\]|\\.)*")|\/\/.*$/gm, (_all, literal: string | undefined) => literal ?? ''),
  );
}

function readDefinitions(dir: string): JsonMessage[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.json'))
    .map((path) => parseDefinition(readFileSync(join(dir, path), 'utf8')))
    .sort((a, b) => compareNames(a.name, b.name));
}

function unpackDefinitions(): JsonMessage[] {
  const dir = mkdtempSync(join(tmpdir(), 'odradek-schemas-'));
  try {
    const oracle = join(import.meta.dirname, '../compat-tests/oracle/main.ts');
    const unpacked = spawnSync(process.execPath, [oracle, 'schemas', dir], { stdio: ['ignore', 'ignore', 'inherit'] });
    if (unpacked.status !== 0) throw new Error("Kafka's definitions could not be unpacked");
    return readDefinitions(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

const camelCase = (name: string): string => name[0].toLowerCase() + name.slice(1);

function compareMessage(ours: Message, theirs: JsonMessage): void {
  counts.messages++;
  const { name } = theirs;
  compare(name, 'type', ours.kind, theirs.type);
  compare(name, 'apiKey', ours.apiKey, theirs.apiKey ?? null);
  compare(name, 'validVersions', ours.versions, theirs.validVersions);
  compare(name, 'flexibleVersions', ours.flexible, theirs.flexibleVersions ?? 'none');
  compare(name, 'listeners', [...ours.listeners].sort(), [...(theirs.listeners ?? [])].sort());
  compare(name, 'latestVersionUnstable', ours.latestVersionUnstable, theirs.latestVersionUnstable ?? false);
  compareFields(name, ours.fields, theirs.fields ?? [], theirs);
}

/** Order counts: it is the order on the wire. */
function compareFields(where: string, ours: Fields, theirs: JsonField[], message: JsonMessage): void {
  compare(
    where,
    'fields',
    Object.keys(ours),
    theirs.map((f) => camelCase(f.name)),
  );
  for (const field of theirs) {
    const declared = ours[camelCase(field.name)];
    if (declared !== undefined) compareField(`${where}.${camelCase(field.name)}`, declared, field, message);
  }
}

function compareField(where: string, ours: Field<unknown>, theirs: JsonField, message: JsonMessage): void {
  counts.fields++;
  const { options } = ours;
  compare(where, 'versions', ours.versions, theirs.versions ?? theirs.taggedVersions);
  compare(where, 'nullableVersions', options.nullable ?? 'none', theirs.nullableVersions ?? 'none');
  compare(where, 'taggedVersions', options.tagged ?? 'none', theirs.taggedVersions ?? 'none');
  compare(where, 'tag', options.tag ?? null, theirs.tag ?? null);
  compare(where, 'ignorable', options.ignorable ?? false, String(theirs.ignorable ?? false) === 'true');
  compare(where, 'flexibleVersions', options.flexible ?? null, theirs.flexibleVersions ?? null);
  compare(where, 'default', defaultOf(ours), parseDefault(theirs));
  compareShape(where, ours.shape, theirs.type, theirs, message);
}

function compareShape(where: string, ours: FieldShape, type: string, field: JsonField, message: JsonMessage): void {
  if (type.startsWith('[]')) {
    compare(where, 'type', ours.kind, 'array');
    if (ours.kind === 'array') compareShape(where, ours.element, type.slice(2), field, message);
    return;
  }
  const fields = field.fields ?? message.commonStructs?.find((s) => s.name === type)?.fields;
  compare(where, 'type', ours.kind, fields === undefined ? type : 'struct');
  if (ours.kind === 'struct' && fields !== undefined) compareFields(where, ours.fields, fields, message);
}

function zeroOf(type: string): unknown {
  if (type === 'bool') return false;
  if (type === 'string' || type === 'uuid' || type === 'bytes' || type === 'records') return '';
  return type.startsWith('[]') || /^[A-Z]/.test(type) ? '' : 0;
}

/** The default as a value; what is not declared is the type's zero. */
function parseDefault(field: JsonField): unknown {
  const declared = field.default;
  if (declared === undefined || declared === null || declared === '') return zeroOf(field.type);
  if (declared === 'null') return null;
  if (field.type === 'string') return declared;
  if (field.type === 'bool') return String(declared) === 'true';
  if (field.type === 'float64') return Number(declared);
  const value = BigInt(declared);
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

function defaultOf(field: Field<unknown>): unknown {
  const { shape, options } = field;
  if (options.default !== undefined) return options.default;
  if (shape.kind === 'bool') return false;
  return zeroOf(shape.kind === 'array' ? '[]' : shape.kind === 'struct' ? 'Struct' : shape.kind);
}

const declared = new Map<string, Message>(allMessages);
for (const header of [RequestHeader, ResponseHeader]) declared.set(header.name, header);

const definitions = process.argv[2] === undefined ? unpackDefinitions() : readDefinitions(process.argv[2]);
const removed = definitions.filter((d) => d.validVersions === 'none');
const alive = definitions.filter((d) => d.validVersions !== 'none');
for (const definition of alive) {
  const ours = declared.get(definition.name);
  if (ours === undefined) differences.push(`${definition.name}: not declared`);
  else compareMessage(ours, definition);
}
const known = new Set(definitions.map((d) => d.name));
for (const name of declared.keys()) if (!known.has(name)) differences.push(`${name}: not in Kafka`);

for (const difference of differences) console.log(difference);
console.log(
  `${counts.messages} messages, ${counts.fields} fields, ${counts.properties} properties compared ` +
    `(${removed.length} definitions without a valid version left out): ${differences.length} differences`,
);
process.exitCode = differences.length === 0 && alive.length > 0 ? 0 : 1;
