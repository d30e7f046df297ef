/** Random values of messages from a seed, for round trips, for the comparison with Kafka's codecs and for fuzzing. */
import { defaultOf } from '../../protocol/defaults.ts';
import { type Field, type FieldShape, type Fields, inRange, type Message, type ReadOf } from '../../protocol/schema.ts';

/** Numbers from 0 up to and without 1, always the same for a seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/**
 * A value of the message in a version. `density` (0 to 1) is how much of it is filled: 0 has empty arrays and strings,
 * 1 sets every tagged field.
 */
export function randomMessage<F extends Fields>(
  message: Message<F>,
  version: number,
  random: () => number,
  density = random(),
): ReadOf<F> {
  return new Maker(version, random, density).struct(message.fields, 0) as ReadOf<F>;
}

const INTEGERS: Record<string, readonly (number | bigint)[]> = {
  int8: [-0x80, -1, 0, 1, 0x7f],
  int16: [-0x8000, -1, 0, 1, 0xff, 0x7fff],
  uint16: [0, 1, 0x7fff, 0x8000, 0xffff],
  int32: [-0x8000_0000, -1, 0, 1, 0xffff, 0x7fff_ffff],
  uint32: [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff],
  int64: [
    -0x8000_0000_0000_0000n,
    -(2n ** 53n),
    Number.MIN_SAFE_INTEGER,
    -0x1_0000_0001,
    -0x1_0000_0000,
    -1,
    0,
    0xffff_ffff,
    0x1_0000_0000,
    Number.MAX_SAFE_INTEGER,
    2n ** 53n,
    0x7fff_ffff_ffff_ffffn,
  ],
};
const FLOATS = [0, -0, 1, -1.5, 1e21, 5e-324, 1.7976931348623157e308, 123456789.125, Math.PI];
const LETTERS = [...'abcdefghijklmnopqrstuvwxyz0123456789-_. ', 'é', '世', '界', '😀', '"', '\\', '\u0000'];

class Maker {
  private readonly version: number;
  private readonly random: () => number;
  private readonly density: number;

  constructor(version: number, random: () => number, density: number) {
    this.version = version;
    this.random = random;
    this.density = density;
  }

  struct(fields: Fields, depth: number): Record<string, unknown> {
    return Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, this.field(field, depth)]));
  }

  private field(field: Field<unknown>, depth: number): unknown {
    if (!inRange(field.versions, this.version)) return defaultOf(field);
    if (inRange(field.options.tagged, this.version) && this.random() >= this.density) return defaultOf(field);
    if (inRange(field.options.nullable, this.version) && this.random() < 0.2) return null;
    return this.value(field.shape, depth);
  }

  private value(shape: FieldShape, depth: number): unknown {
    switch (shape.kind) {
      case 'bool':
        return this.random() < 0.5;
      case 'string':
        return this.text();
      case 'uuid':
        return this.bytes(16).toString('base64url');
      case 'bytes':
      case 'records':
        return this.bytes(this.length(60));
      case 'float64':
        return this.pick(FLOATS);
      case 'array': {
        const most = depth > 2 ? 1 : depth === 0 && shape.element.kind !== 'struct' ? 200 : 3;
        return Array.from({ length: this.length(most) }, () => this.value(shape.element, depth + 1));
      }
      case 'struct':
        return this.struct(shape.fields, depth + 1);
      default:
        return this.random() < 0.5 ? this.below(100) : this.pick(INTEGERS[shape.kind]);
    }
  }

  private text(): string {
    // now and then longer than a length of one byte can say
    const most = this.random() < 0.05 ? 300 : 12;
    return Array.from({ length: this.length(most) }, () => this.pick(LETTERS)).join('');
  }

  private bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }

  private length(most: number): number {
    return Math.floor(this.random() * this.density * (most + 1));
  }

  private below(n: number): number {
    return Math.floor(this.random() * n);
  }

  private pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)];
  }
}
