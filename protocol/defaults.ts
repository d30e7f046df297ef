/** What a field is when nobody sets it. */
import type { Field, Fields } from './schema.ts';
import { ZERO_UUID } from './uuid.ts';

const EMPTY_BYTES = Buffer.alloc(0);

/** A fresh default value of the field: the declared one, or zero, empty, false, or a struct of defaults. */
export function defaultOf(field: Field<unknown>): unknown {
  const { shape, options } = field;
  if (options.default !== undefined) return options.default;
  switch (shape.kind) {
    case 'bool':
      return false;
    case 'string':
      return '';
    case 'uuid':
      return ZERO_UUID;
    case 'bytes':
    case 'records':
      return EMPTY_BYTES;
    case 'array':
      return [];
    case 'struct':
      return defaultsOf(shape.fields);
    default:
      return 0;
  }
}

function defaultsOf(fields: Fields): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, defaultOf(field)]));
}

/** True where the value is the field's default, in whatever version; fields left out of a struct count as default. */
export function isDefault(field: Field<unknown>, value: unknown): boolean {
  const { shape, options } = field;
  if (options.default === null) return value === null;
  if (value === null) return false;
  switch (shape.kind) {
    case 'bytes':
    case 'records':
    case 'array':
      return (value as ArrayLike<unknown>).length === 0;
    case 'struct': {
      const struct = value as Record<string, unknown>;
      return Object.entries(shape.fields).every(([key, f]) => struct[key] === undefined || isDefault(f, struct[key]));
    }
    default:
      return value === defaultOf(field);
  }
}
