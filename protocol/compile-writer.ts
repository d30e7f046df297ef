/** The source text of a writer: one function for each struct. */
import { type AnyField, capital, type FixedKind, fixedBytes, grouped, isFixed, type Rules } from './compile-rules.ts';
import type { FieldShape, Fields } from './schema.ts';

type Entry = readonly [key: string, field: AnyField];

export class WriteSource {
  readonly functions: string[] = [];
  private readonly rules: Rules;
  private names = 0;

  constructor(rules: Rules) {
    this.rules = rules;
  }

  /** Adds a function that writes the struct and returns its name. */
  struct(label: string, fields: Fields): string {
    const { rules } = this;
    const name = `write${label}${this.names++}`;
    const entries: Entry[] = Object.entries(fields);
    const body = entries
      .filter(([, field]) => !rules.present(field) && !field.options.ignorable)
      .map(([key, field]) => this.refuse(key, field));
    const inBody = entries.filter(([, field]) => rules.present(field) && !rules.tagged(field));
    for (const group of grouped(inBody, ([, field]) => rules.fixedKind(field) !== null)) {
      if ('single' in group) body.push(this.single(group.single));
      else body.push(...this.run(group.fixed));
    }
    if (rules.flexible) body.push(this.tags(entries));
    this.functions.push(`function ${name}(w, v) {\nlet a = 0, b;\n${body.join('\n')}\n}`);
    return name;
  }

  /** A set value that this version cannot carry must not be dropped in silence. */
  private refuse(key: string, field: AnyField): string {
    return `if (v.${key} !== undefined) { const x = v.${key}; if (${this.rules.differs(field, 'x')}) throw new RangeError('version ${this.rules.version} cannot carry ${key}'); }`;
  }

  private given(key: string, field: AnyField): string {
    return `(v.${key} === undefined ? ${this.rules.defaultValue(field)} : v.${key})`;
  }

  private single([key, field]: Entry): string {
    return `{ const x = ${this.given(key, field)}; ${this.value(key, field)} }`;
  }

  /** Fields of fixed size: room for all at once, then each into its place. */
  private run(entries: readonly Entry[]): string[] {
    let size = 0;
    const lines = entries.map(([key, field]) => {
      const kind = field.shape.kind as FixedKind;
      const line = `{ const x = ${this.given(key, field)}; ${writeAt(kind, size)} }`;
      size += fixedBytes(kind);
      return line;
    });
    return [`a = w.make(${size}); b = w.buf;`, ...lines];
  }

  private value(key: string, field: AnyField): string {
    return this.shape(key, field.shape, this.rules.nullable(field), this.rules.compact(field), 'x');
  }

  /** Within a tagged section a struct's presence is a varint, 0 or 1, and not the byte -1 or 1 as elsewhere. */
  private taggedValue(key: string, field: AnyField): string {
    if (field.shape.kind !== 'struct' || !this.rules.nullable(field)) return this.value(key, field);
    const write = this.struct(capital(key), field.shape.fields);
    return `if (x === null) w.uvarint(0); else { w.uvarint(1); ${write}(w, x); }`;
  }

  private tags(entries: readonly Entry[]): string {
    const tagged = entries
      .filter(([, field]) => this.rules.tagged(field))
      .sort(([, a], [, b]) => (a.options.tag as number) - (b.options.tag as number));
    if (tagged.length === 0) return 'w.int8(0);';
    const count = tagged.map(([key, field]) => {
      const t = `t${field.options.tag}`;
      return `const ${t} = ${this.given(key, field)}; { const x = ${t}; if (${this.rules.differs(field, 'x')}) n++; }`;
    });
    const fields = tagged.map(([key, field]) => {
      const { tag } = field.options;
      return `{ const x = t${tag}; if (${this.rules.differs(field, 'x')}) { ${this.tag(key, field)} } }`;
    });
    return `let n = 0;\n${count.join('\n')}\nw.uvarint(n);\nif (n > 0) {\n${fields.join('\n')}\n}`;
  }

  private tag(key: string, field: AnyField): string {
    const { kind } = field.shape;
    const { tag } = field.options;
    if (isFixed(kind)) return `w.uvarint(${tag}); w.uvarint(${fixedBytes(kind)}); w.${kind}(x);`;
    return `w.tagged(${tag}, (w) => { ${this.taggedValue(key, field)} });`;
  }

  private shape(key: string, shape: FieldShape, nullable: boolean, compact: boolean, x: string): string {
    switch (shape.kind) {
      case 'string':
      case 'bytes':
      case 'records': {
        const type = shape.kind === 'string' ? 'string' : 'bytes';
        return `w.${compact ? `compact${capital(type)}` : type}${nullable ? 'OrNull' : ''}(${x});`;
      }
      case 'array': {
        const length = compact ? 'w.compactArrayLength' : 'w.arrayLength';
        const all = `${length}(${x}.length); ${this.elements(key, shape.element, compact, x)}`;
        return nullable ? `if (${x} === null) ${length}(-1); else { ${all} }` : all;
      }
      case 'struct': {
        const write = `${this.struct(capital(key), shape.fields)}(w, ${x});`;
        return nullable ? `if (${x} === null) w.int8(-1); else { w.int8(1); ${write} }` : write;
      }
      default:
        return `w.${shape.kind}(${x});`;
    }
  }

  private elements(key: string, element: FieldShape, compact: boolean, x: string): string {
    if (isFixed(element.kind)) {
      const size = fixedBytes(element.kind);
      return `const list = ${x}; a = w.make(list.length * ${size}); b = w.buf;
for (let i = 0; i < list.length; i++, a += ${size}) { const x = list[i]; ${writeAt(element.kind, 0)} }`;
    }
    const loop = `for (let i = 0; i < ${x}.length; i++)`;
    return `${loop} { const e = ${x}[i]; ${this.shape(key, element, false, compact, 'e')} }`;
  }
}

/** A statement that writes x, of a fixed-size kind, at `a` + offset into the buffer `b`. */
function writeAt(kind: FixedKind, offset: number): string {
  const byte = (i: number) => `b[a + ${offset + i}]`;
  switch (kind) {
    case 'bool':
      return `${byte(0)} = x ? 1 : 0;`;
    case 'int8':
      return `${byte(0)} = x;`;
    case 'int16':
    case 'uint16':
      return `${byte(0)} = x >> 8; ${byte(1)} = x;`;
    case 'int32':
    case 'uint32':
      return `${byte(0)} = x >>> 24; ${byte(1)} = x >>> 16; ${byte(2)} = x >>> 8; ${byte(3)} = x;`;
    case 'int64':
      return `w.int64At(a + ${offset}, x);`;
    case 'float64':
      return `b.writeDoubleBE(x, a + ${offset});`;
    case 'uuid':
      return `w.uuidAt(a + ${offset}, x);`;
  }
}
