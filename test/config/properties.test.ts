import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatProperties, parseProperties } from '../../src/config/properties.ts';

function parsed(text: string): Record<string, string> {
  return Object.fromEntries(parseProperties(text, 'f').map(({ name, value }) => [name, value]));
}

describe('the syntax of java.util.Properties', () => {
  test.each([
    ['a=b', { a: 'b' }],
    ['a = b ', { a: 'b ' }],
    ['a:b', { a: 'b' }],
    ['a b c', { a: 'b c' }],
    ['  a\t=\tb', { a: 'b' }],
    ['a', { a: '' }],
    ['a=', { a: '' }],
    ['a==b', { a: '=b' }],
    ['a=b=c:d', { a: 'b=c:d' }],
    ['# a=b\n! c=d\n\n  # e', {}],
    ['a=b # c', { a: 'b # c' }],
    ['a=b\\\n   c', { a: 'bc' }],
    ['a=b\\\n# c', { a: 'b# c' }],
    ['a=b\\\\\nc=d', { a: 'b\\', c: 'd' }],
    ['a\\=b=c', { 'a=b': 'c' }],
    ['a\\ b=c', { 'a b': 'c' }],
    ['a=\\u0041\\t\\n\\x\\\\', { a: 'A\t\nx\\' }],
    ['a=1\r\nb=2\rc=3', { a: '1', b: '2', c: '3' }],
    ['a=b\\', { a: 'b' }],
    ['a=1\na=2', { a: '2' }],
  ])('%j', (text, expected) => {
    expect(parsed(text)).toEqual(expected);
  });

  test('lines are counted where a property begins', () => {
    const lines = parseProperties('# x\na=1\\\n  2\n\nb=3', 'f').map(({ name, line }) => [name, line]);
    expect(lines).toEqual([
      ['a', 2],
      ['b', 5],
    ]);
  });

  test('a broken \\u names its place', () => {
    expect(() => parseProperties('a=1\nb=\\u12', 'server.properties')).toThrow(
      'server.properties, line 2: Malformed \\uxxxx encoding.',
    );
  });
});

test('what is written is read back', () => {
  const text = fc.string({ unit: fc.constantFrom(...'ab=:#! \\\n\r\t\fé'), minLength: 1 });
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(text, text), { selector: ([name]) => name }), (pairs) => {
      expect(parsed(formatProperties(pairs))).toEqual(Object.fromEntries(pairs));
    }),
  );
});
