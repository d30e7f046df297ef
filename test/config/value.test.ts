import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ConfigType, define } from '../../src/config/definition.ts';
import { formatValue, readValue } from '../../src/config/value.ts';

const of = (type: ConfigType) => ({ ...define('x', 'string', ''), type });

describe('values are read as ConfigDef reads them', () => {
  test.each([
    ['int', ' 12 ', 12],
    ['int', '+12', 12],
    ['int', '-2147483648', -2_147_483_648],
    ['long', '9007199254740993', 9_007_199_254_740_993n],
    ['long', '9223372036854775807', 9_223_372_036_854_775_807n],
    ['boolean', ' TRUE', true],
    ['boolean', 'False', false],
    ['double', '1e3', 1000],
    ['double', '1e3d', 1000],
    ['double', '.5', 0.5],
    ['double', 'NaN', Number.NaN],
    ['string', ' a b ', 'a b'],
    ['password', ' s ', 's'],
    ['list', '', []],
    ['list', 'a , b,c', ['a', 'b', 'c']],
    ['list', 'a,b,a', ['a', 'b']],
  ] as const)('%s %j', (type, raw, expected) => {
    expect(readValue(of(type), raw)).toEqual(expected);
  });

  test.each([
    ['int', 'abc', 'Invalid value abc for configuration x: Not a number of type INT'],
    ['int', '', 'Invalid value  for configuration x: Not a number of type INT'],
    ['int', '2147483648', 'Invalid value 2147483648 for configuration x: Not a number of type INT'],
    ['int', '1.0', 'Invalid value 1.0 for configuration x: Not a number of type INT'],
    ['int', '0x1', 'Invalid value 0x1 for configuration x: Not a number of type INT'],
    ['short', '40000', 'Invalid value 40000 for configuration x: Not a number of type SHORT'],
    ['long', '9223372036854775808', 'Invalid value 9223372036854775808 for configuration x: Not a number of type LONG'],
    ['double', '1,5', 'Invalid value 1,5 for configuration x: Not a number of type DOUBLE'],
    ['boolean', 'yes', 'Invalid value yes for configuration x: Expected value to be either true or false'],
    ['list', 'a,,b', "Configuration 'x' values must not be empty."],
  ] as const)('%s %j is refused', (type, raw, message) => {
    expect(() => readValue(of(type), raw)).toThrow(message);
  });
});

describe('bounds', () => {
  test('an int below and above', () => {
    const definition = define('x', 'int', 1, { atLeast: 0, atMost: 10 });
    expect(() => readValue(definition, '-1')).toThrow('Invalid value -1 for configuration x: Value must be at least 0');
    expect(() => readValue(definition, '11')).toThrow(
      'Invalid value 11 for configuration x: Value must be no more than 10',
    );
    expect(readValue(definition, '10')).toBe(10);
  });

  test('a double shows as Java prints it', () => {
    const definition = define('x', 'double', 0.5, { atMost: 1 });
    expect(() => readValue(definition, '2')).toThrow('Invalid value 2.0 for configuration x');
  });

  test('words, whatever their case', () => {
    const definition = define('x', 'string', 'A', { oneOf: ['A', 'B'], ignoreCase: true });
    expect(readValue(definition, 'b')).toBe('b');
    expect(() => readValue(definition, 'c')).toThrow(
      'Invalid value c for configuration x: String must be one of (case insensitive): A, B',
    );
  });

  test('a list that must not be empty', () => {
    const definition = define('x', 'list', ['a'], { nonEmpty: true });
    expect(() => readValue(definition, '')).toThrow(
      "Configuration 'x' must not be empty. Valid values include: any non-empty value",
    );
  });
});

describe('values are printed as Java prints them', () => {
  test.each([
    [0.5, '0.5'],
    [2, '2.0'],
    [0, '0.0'],
    [-0, '-0.0'],
    [1e7, '1.0E7'],
    [9_999_999, '9999999.0'],
    [0.001, '0.001'],
    [0.0001, '1.0E-4'],
    [2_147_483_647, '2.147483647E9'],
    [Number.MAX_VALUE, '1.7976931348623157E308'],
    [Number.NaN, 'NaN'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
  ])('%d', (value, text) => {
    expect(formatValue('double', value)).toBe(text);
  });

  test('every long survives being read and printed', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        expect(formatValue('long', readValue(of('long'), String(value)))).toBe(String(value));
      }),
    );
  });

  test('every double survives being printed and read', () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        expect(readValue(of('double'), String(formatValue('double', value)))).toBe(value);
      }),
    );
  });
});
