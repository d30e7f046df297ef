/** The .properties files of Java: server.properties and meta.properties. */

import { InvalidConfigError } from './value.ts';

export interface Property {
  readonly name: string;
  readonly value: string;
  /** Where it begins, counted from 1. */
  readonly line: number;
}

interface LogicalLine {
  text: string;
  readonly line: number;
}

const COMMENT = /^[#!]/;
const LEADING_SPACE = /^[ \t\f]+/;

function endsInContinuation(line: string): boolean {
  return (/\\*$/.exec(line)?.[0].length ?? 0) % 2 === 1;
}

/** Lines that end in an odd number of backslashes go on in the next one, whose indentation does not count. */
function logicalLines(text: string): LogicalLine[] {
  const lines: LogicalLine[] = [];
  let open: LogicalLine | null = null;
  for (const [index, natural] of text.split(/\r\n|\r|\n/).entries()) {
    const line = natural.replace(LEADING_SPACE, '');
    if (open === null && (line === '' || COMMENT.test(line))) continue;
    const current: LogicalLine = open ?? { text: '', line: index + 1 };
    if (open === null) lines.push(current);
    const goesOn = endsInContinuation(line);
    current.text += goesOn ? line.slice(0, -1) : line;
    open = goesOn ? current : null;
  }
  return lines;
}

const ESCAPED: Record<string, string> = { t: '\t', n: '\n', r: '\r', f: '\f' };

function unescaped(text: string, where: string): string {
  return text.replace(/\\(u([0-9a-fA-F]{4})|[\s\S]|$)/g, (_, code: string, hex: string | undefined) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    if (code === 'u') throw new InvalidConfigError(`${where}: Malformed \\uxxxx encoding.`);
    return ESCAPED[code] ?? code;
  });
}

/** A name ends at the first unescaped `=`, `:` or space; one `=` or `:` may stand among the spaces before the value. */
const NAME_AND_VALUE = /^((?:\\[\s\S]|[^\\=: \t\f])*)(?:[ \t\f]*[=:][ \t\f]*|[ \t\f]+|$)([\s\S]*)$/;

/** Reads all properties in their order, repeated ones included. `fileName` is for messages. */
export function parseProperties(text: string, fileName: string): Property[] {
  return logicalLines(text).map(({ text: logical, line }) => {
    const match = NAME_AND_VALUE.exec(logical);
    const where = `${fileName}, line ${line}`;
    return { name: unescaped(match?.[1] ?? logical, where), value: unescaped(match?.[2] ?? '', where), line };
  });
}

function escaped(text: string): string {
  return text
    .replace(/[\\=:#! ]/g, '\\$&')
    .replace(/\f/g, '\\f')
    .replace(/\n/g, '\\n')
    .replace(/\r/g, '\\r')
    .replace(/\t/g, '\\t');
}

/** Writes properties so that Java and `parseProperties` read them back. */
export function formatProperties(properties: Iterable<readonly [string, string]>): string {
  let text = '';
  for (const [name, value] of properties) text += `${escaped(name)}=${escaped(value)}\n`;
  return text;
}
