/** What the compiler has to know about a field in one version of a message. */
import { type Field, type FieldShape, type Fields, inRange, type PrimitiveKind } from './schema.ts';
import { ZERO_UUID } from './uuid.ts';

export type AnyField = Field<unknown, unknown>;

/** Bytes on the wire of the kinds that always take the same. */
const FIXED_BYTES = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  float64: 8,
  uuid: 16,
} as const;
export type FixedKind = keyof typeof FIXED_BYTES;

export const isFixed = (kind: string): kind is FixedKind => kind in FIXED_BYTES;
export const fixedBytes = (kind: FixedKind): number => FIXED_BYTES[kind];
export const capital = (s: string): string => s[0].toUpperCase() + s.slice(1);

const EMPTY_BYTES = Buffer.alloc(0);

/** About what V8 takes for a value beside the slot that refers to it. */
const OBJECT_BYTES = 24;
const SLOT_BYTES = 8;
const MEMORY_BYTES: Record<PrimitiveKind | 'array', number> = {
  bool: 0,
  int8: 0,
  int16: 0,
  uint16: 0,
  int32: 0,
  uint32: 12,
  int64: 12,
  float64: 12,
  string: 24,
  uuid: 40,
  bytes: 96,
  records: 96,
  array: 32,
};

export class Rules {
  readonly version: number;
  readonly flexible: boolean;
  /** Values that the source text refers to and that have no literal. */
  readonly constants: unknown[] = [];

  constructor(version: number, flexible: boolean) {
    this.version = version;
    this.flexible = flexible;
  }

  present(field: AnyField): boolean {
    return inRange(field.versions, this.version);
  }
  tagged(field: AnyField): boolean {
    return this.present(field) && inRange(field.options.tagged, this.version);
  }
  nullable(field: AnyField): boolean {
    return inRange(field.options.nullable, this.version);
  }
  compact(field: AnyField): boolean {
    return this.flexible && field.options.flexible !== 'none';
  }
  /** The kind of a field of fixed size in the untagged part; null for all others. */
  fixedKind(field: AnyField): FixedKind | null {
    const { kind } = field.shape;
    return this.present(field) && !this.tagged(field) && isFixed(kind) ? kind : null;
  }

  /** The fewest bytes that a value of this shape takes: what bounds the length of an array before it is read. */
  minBytes(shape: FieldShape, compact: boolean): number {
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
          const absentStruct = field.shape.kind === 'struct' && this.nullable(field);
          sum += absentStruct ? 1 : this.minBytes(field.shape, this.compact(field));
        }
        return sum;
      }
      default:
        return FIXED_BYTES[shape.kind];
    }
  }

  /** About what one element of this shape takes in memory, its slot included, the elements of arrays within it not. */
  memoryBytes(shape: FieldShape): number {
    if (shape.kind !== 'struct') return SLOT_BYTES + MEMORY_BYTES[shape.kind];
    return SLOT_BYTES + this.structBytes(shape.fields);
  }
  private structBytes(fields: Fields): number {
    let sum = OBJECT_BYTES;
    for (const field of Object.values(fields)) {
      sum += SLOT_BYTES;
      if (field.shape.kind === 'struct') sum += this.structBytes(field.shape.fields);
      // in a version without the field all elements share a default, but for arrays
      else if (this.present(field) || field.shape.kind === 'array') sum += MEMORY_BYTES[field.shape.kind];
    }
    return sum;
  }

  private constant(value: unknown): string {
    return `constants[${this.constants.push(value) - 1}]`;
  }

  /** An expression for the field's default value. */
  defaultValue(field: AnyField): string {
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

  /** An expression: true where x is not the field's default. */
  differs(field: AnyField, x: string): string {
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

/** A run of fields of fixed size one after the other, or one other field. */
export type Group<T> = { readonly fixed: readonly T[] } | { readonly single: T };

/** Puts neighbours of fixed size together, so that one check of what remains serves them all. */
export function grouped<T>(items: readonly T[], isFixedSize: (item: T) => boolean): Group<T>[] {
  const groups: Group<T>[] = [];
  let run: T[] = [];
  for (const item of items) {
    if (isFixedSize(item)) {
      if (run.length === 0) groups.push({ fixed: run });
      run.push(item);
    } else {
      run = [];
      groups.push({ single: item });
    }
  }
  return groups;
}
