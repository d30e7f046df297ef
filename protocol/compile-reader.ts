/** The source text of a reader: one function for each struct and each array. */
import { type AnyField, capital, type FixedKind, fixedBytes, grouped, isFixed, type Rules } from './compile-rules.ts';
import type { FieldShape, Fields } from './schema.ts';

/** A field with its name in the declaration and the variable that it is read into. */
interface Slot {
  readonly key: string;
  readonly field: AnyField;
  readonly name: string;
}

export class ReadSource {
  readonly functions: string[] = [];
  private readonly rules: Rules;
  private names = 0;

  constructor(rules: Rules) {
    this.rules = rules;
  }

  /** Adds a function that reads the struct and returns its name. */
  struct(label: string, fields: Fields): string {
    const { rules } = this;
    const name = `read${label}${this.names++}`;
    const slots = Object.entries(fields).map(([key, field], i): Slot => ({ key, field, name: `f${i}` }));
    const inBody = slots.filter(({ field }) => rules.present(field) && !rules.tagged(field));
    const body = slots
      .filter((slot) => !inBody.includes(slot))
      .map((slot) => `let ${slot.name} = ${rules.defaultValue(slot.field)};`);
    for (const group of grouped(inBody, ({ field }) => rules.fixedKind(field) !== null)) {
      if ('single' in group) body.push(`const ${group.single.name} = ${this.value(group.single)};`);
      else body.push(...this.run(group.fixed));
    }
    if (rules.flexible) body.push(this.tags(slots));
    const object = slots.map((slot) => `${slot.key}: ${slot.name}`).join(', ');
    this.functions.push(
      `function ${name}(r) {\nconst b = r.buf;\nlet a = 0;\n${body.join('\n')}\nreturn { ${object} };\n}`,
    );
    return name;
  }

  /** Fields of fixed size: one look at what remains, then each from its place. */
  private run(slots: readonly Slot[]): string[] {
    let size = 0;
    const lines = slots.map(({ name, field }) => {
      const kind = field.shape.kind as FixedKind;
      const line = `const ${name} = ${readAt(kind, size)};`;
      size += fixedBytes(kind);
      return line;
    });
    return [`a = r.take(${size});`, ...lines];
  }

  private value({ key, field }: Slot): string {
    return this.shape(key, field.shape, this.rules.nullable(field), this.rules.compact(field));
  }

  /** Within a tagged section a struct's presence is a varint, 0 or 1, and not the byte -1 or 1 as elsewhere. */
  private taggedValue(slot: Slot): string {
    const { key, field } = slot;
    if (field.shape.kind !== 'struct' || !this.rules.nullable(field)) return this.value(slot);
    return `(r.uvarint() === 0 ? null : ${this.struct(capital(key), field.shape.fields)}(r))`;
  }

  private tags(slots: readonly Slot[]): string {
    const known = slots.filter(({ field }) => this.rules.tagged(field));
    if (known.length === 0) return 'r.skipTags();';
    const cases = known.map(
      (slot) => `case ${slot.field.options.tag}: ${slot.name} = ${this.taggedValue(slot)}; break;`,
    );
    return `for (let left = r.uvarint(); left > 0; left--) {
const tag = r.uvarint(), size = r.uvarint(), end = r.pos + size;
switch (tag) {
${cases.join('\n')}
default: r.skip(size);
}
if (r.pos !== end) malformed('tag ' + tag + ' is not ' + size + ' bytes long');
}`;
  }

  private shape(key: string, shape: FieldShape, nullable: boolean, compact: boolean): string {
    switch (shape.kind) {
      case 'string':
      case 'bytes':
      case 'records': {
        const type = shape.kind === 'string' ? 'string' : 'bytes';
        const method = compact ? `compact${capital(type)}` : type;
        return nullable ? `r.${method}OrNull()` : `r.${method}('${key}')`;
      }
      case 'array':
        return `${this.array(key, shape.element, nullable, compact)}(r)`;
      case 'struct': {
        const read = `${this.struct(capital(key), shape.fields)}(r)`;
        return nullable ? `(r.int8() < 0 ? null : ${read})` : read;
      }
      default:
        return `r.${shape.kind}()`;
    }
  }

  /** Adds a function that reads the array and returns its name. */
  private array(key: string, element: FieldShape, nullable: boolean, compact: boolean): string {
    const name = `readArray${capital(key)}${this.names++}`;
    const length = compact ? 'compactArrayLength' : 'arrayLength';
    const least = Math.max(1, this.rules.minBytes(element, compact));
    this.functions.push(`function ${name}(r) {
const n = r.${length}(${least}, ${this.rules.memoryBytes(element)});
if (n < 0) ${nullable ? 'return null' : `forbidden('${key}')`};
const out = new Array(n);
${this.elements(key, element, compact)}
return out;
}`);
    return name;
  }

  private elements(key: string, element: FieldShape, compact: boolean): string {
    if (!isFixed(element.kind)) {
      return `for (let i = 0; i < n; i++) out[i] = ${this.shape(key, element, false, compact)};`;
    }
    const size = fixedBytes(element.kind);
    return `const b = r.buf;
let a = r.take(n * ${size});
for (let i = 0; i < n; i++, a += ${size}) out[i] = ${readAt(element.kind, 0)};`;
  }
}

/** An expression for the value of a fixed-size kind at `a` + offset in the buffer `b`. */
function readAt(kind: FixedKind, offset: number): string {
  const byte = (i: number) => `b[a + ${offset + i}]`;
  const int32 = `${byte(0)} << 24 | ${byte(1)} << 16 | ${byte(2)} << 8 | ${byte(3)}`;
  switch (kind) {
    case 'bool':
      return `${byte(0)} !== 0`;
    case 'int8':
      return `${byte(0)} << 24 >> 24`;
    case 'int16':
      return `(${byte(0)} << 24 | ${byte(1)} << 16) >> 16`;
    case 'uint16':
      return `${byte(0)} << 8 | ${byte(1)}`;
    case 'int32':
      return int32;
    case 'uint32':
      return `(${int32}) >>> 0`;
    case 'int64':
      return `r.int64At(a + ${offset})`;
    case 'float64':
      return `b.readDoubleBE(a + ${offset})`;
    case 'uuid':
      return `r.uuidAt(a + ${offset})`;
  }
}
