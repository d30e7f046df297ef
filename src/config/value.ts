/**
 * Values as Kafka's ConfigDef reads, checks and prints them: same trimming, same ranges, same words in the errors,
 * since clients show those words to people (INVALID_CONFIG).
 */

import type { ConfigType, ConfigValue, Constraints, Definition } from './definition.ts';

/** A configuration that cannot be used; the message is what a client or the person at the console reads. */
export class InvalidConfigError extends Error {
  /** How Kafka answers a client that asked for it. */
  readonly error: 'INVALID_CONFIG' | 'INVALID_REQUEST';

  constructor(message: string, error: 'INVALID_CONFIG' | 'INVALID_REQUEST' = 'INVALID_CONFIG') {
    super(message);
    this.name = 'InvalidConfigError';
    this.error = error;
  }
}

/** Values that are right by themselves and contradict each other. */
export class ContradictionError extends InvalidConfigError {}

function invalid(name: string, value: string, reason: string): InvalidConfigError {
  return new InvalidConfigError(`Invalid value ${value} for configuration ${name}: ${reason}`);
}

const INTEGER_BITS: Partial<Record<ConfigType, bigint>> = { short: 16n, int: 32n, long: 64n };
const INTEGER = /^[+-]?\d+$/;
/** What Java's Double.parseDouble takes; the hexadecimal form is below. */
const DOUBLE = /^[+-]?(?:NaN|Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fFdD]?)$/;

/** 0x, a mantissa of hexadecimal digits, p and a power of two: parts are sign, integer, fraction and exponent. */
const HEXADECIMAL = /^([+-]?)0[xX](?=\.?[\da-fA-F])([\da-fA-F]*)\.?([\da-fA-F]*)[pP]([+-]?\d+)[fFdD]?$/;

function parseDouble(text: string): number | null {
  if (DOUBLE.test(text)) return Number(text.replace(/[fFdD]$/, ''));
  const match = HEXADECIMAL.exec(text);
  if (match === null) return null;
  const [, sign, integer, fraction, exponent] = match as unknown as [string, string, string, string, string];
  const size = Number.parseInt(integer + fraction, 16) * 2 ** (Number(exponent) - 4 * fraction.length);
  return sign === '-' ? -size : size;
}

function parseInteger(text: string, bits: bigint): number | bigint | null {
  if (!INTEGER.test(text)) return null;
  const exact = BigInt(text.startsWith('+') ? text.slice(1) : text);
  const limit = 1n << (bits - 1n);
  if (exact < -limit || exact >= limit) return null;
  const value = Number(exact);
  return Number.isSafeInteger(value) ? value : exact;
}

function parseNumber(type: ConfigType, text: string): number | bigint | null {
  const bits = INTEGER_BITS[type];
  if (bits !== undefined) return parseInteger(text, bits);
  return parseDouble(text);
}

/** Reads one value of a type; throws InvalidConfigError. Does not look at ranges: see `checkValue`. */
function parseValue(name: string, type: ConfigType, raw: string): ConfigValue {
  const text = raw.trim();
  switch (type) {
    case 'boolean': {
      const lower = text.toLowerCase();
      if (lower !== 'true' && lower !== 'false') throw invalid(name, raw, 'Expected value to be either true or false');
      return lower === 'true';
    }
    case 'list':
      return text === '' ? [] : text.split(/\s*,\s*/);
    case 'string':
    case 'class':
    case 'password':
      return text;
    default: {
      const value = parseNumber(type, text);
      if (value === null) throw invalid(name, raw, `Not a number of type ${type.toUpperCase()}`);
      return value;
    }
  }
}

/** Double.toString of Java: at least one decimal, exponents from 10^7 and below 10^-3. */
function formatDouble(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const size = Math.abs(value);
  if (size >= 1e-3 && size < 1e7) return Number.isInteger(value) ? `${value}.0` : String(value);
  const [mantissa, exponent] = value.toExponential().split('e') as [string, string];
  return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${exponent.replace('+', '')}`;
}

/** A value as DescribeConfigs prints it; `parseValue` reads it back. */
export function formatValue(type: ConfigType, value: ConfigValue): string | null {
  if (value === null) return null;
  if (type === 'double' && typeof value === 'number') return formatDouble(value);
  if (typeof value === 'object') return value.join(',');
  return String(value);
}

function checkRange(name: string, type: ConfigType, value: number | bigint, limits: Constraints): void {
  const { atLeast, atMost } = limits;
  if (atLeast !== undefined && value < atLeast) {
    throw invalid(name, String(formatValue(type, value)), `Value must be at least ${atLeast}`);
  }
  if (atMost !== undefined && value > atMost) {
    throw invalid(name, String(formatValue(type, value)), `Value must be no more than ${atMost}`);
  }
}

function checkString(name: string, value: string, limits: Constraints): void {
  const { oneOf, ignoreCase = false, nonEmpty = false } = limits;
  if (nonEmpty && value === '') throw invalid(name, value, 'String must be non-empty');
  if (oneOf === undefined) return;
  const matches = ignoreCase ? oneOf.includes(value.toUpperCase()) : oneOf.includes(value);
  if (!matches) {
    throw invalid(name, value, `String must be one of${ignoreCase ? ' (case insensitive)' : ''}: ${oneOf.join(', ')}`);
  }
}

function checkList(name: string, values: readonly string[], limits: Constraints): void {
  const { oneOf, nonEmpty = false } = limits;
  if (nonEmpty && values.length === 0) {
    const valid = oneOf === undefined ? 'any non-empty value' : `[${oneOf.join(', ')}]`;
    throw new InvalidConfigError(`Configuration '${name}' must not be empty. Valid values include: ${valid}`);
  }
  for (const value of values) {
    if (value === '') throw new InvalidConfigError(`Configuration '${name}' values must not be empty.`);
    checkString(name, value, oneOf === undefined ? {} : { oneOf });
  }
}

/** Checks a parsed value against the definition's own rules; throws InvalidConfigError. */
function checkValue(definition: Definition, value: ConfigValue): void {
  const { name, type, constraints } = definition;
  if (constraints.check !== undefined) {
    const problem = constraints.check(name, value);
    if (problem !== null) throw new InvalidConfigError(problem);
    return;
  }
  if (typeof value === 'number' || typeof value === 'bigint') checkRange(name, type, value, constraints);
  else if (typeof value === 'string') checkString(name, value, constraints);
  else if (typeof value === 'object' && value !== null) checkList(name, value, constraints);
}

/** Lists hold each element once; Kafka drops repetitions rather than refuse them. */
function withoutRepetitions(value: ConfigValue): ConfigValue {
  return typeof value === 'object' && value !== null ? [...new Set(value)] : value;
}

/** What a person or a client wrote, parsed and checked; throws InvalidConfigError. */
export function readValue(definition: Definition, raw: string): ConfigValue {
  const value = parseValue(definition.name, definition.type, raw);
  const once = definition.constraints.check === undefined ? withoutRepetitions(value) : value;
  checkValue(definition, once);
  return once;
}
