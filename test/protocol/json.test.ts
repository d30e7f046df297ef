import { describe, expect, test } from 'vitest';
import { fromJson, JsonFloat, JsonFormError, parseJson, stringifyJson, toJson } from '../../protocol/json.ts';
import { ProduceRequest } from '../../protocol/messages/00-produce.ts';
import { FetchRequest } from '../../protocol/messages/01-fetch.ts';
import { InitProducerIdResponse } from '../../protocol/messages/22-init-producer-id.ts';
import { AlterClientQuotasRequest } from '../../protocol/messages/49-alter-client-quotas.ts';

describe('JSON text', () => {
  test('int64 keeps all digits', () => {
    const text = '{"a":9223372036854775807,"b":-9223372036854775808,"c":9007199254740991,"d":[1]}';
    expect(parseJson(text)).toMatchObject({ a: 9223372036854775807n, c: 9007199254740991 });
    expect(stringifyJson(parseJson(text))).toBe(text);
  });

  test('float64 always has a fraction or an exponent', () => {
    const numbers = [1, -0, 1e21, 0.1, Number.MIN_VALUE, Number.NaN, Number.NEGATIVE_INFINITY];
    expect(stringifyJson(numbers.map((n) => new JsonFloat(n)))).toBe('[1.0,-0.0,1e+21,0.1,5e-324,"NaN","-Infinity"]');
  });
});

describe('messages', () => {
  test('bytes are base64, tagged fields with their default are left out', () => {
    const records = Buffer.from('hello');
    const value = { topicData: [{ name: 't', partitionData: [{ index: 1, records }] }] };
    expect(toJson(ProduceRequest, 9, value)).toEqual({
      transactionalId: null,
      acks: 0,
      timeoutMs: 0,
      topicData: [{ name: 't', partitionData: [{ index: 1, records: 'aGVsbG8=' }] }],
    });
    expect(toJson(FetchRequest, 12, {})).not.toHaveProperty('clusterId');
    expect(toJson(FetchRequest, 12, { clusterId: 'c' })).toHaveProperty('clusterId', 'c');
  });

  const response = { throttleTimeMs: 0, errorCode: 0, producerId: 1, producerEpoch: 0 };
  test.each([
    ['not an object', 5, /InitProducerIdResponse is not an object/],
    ['a field missing', { throttleTimeMs: 0 }, /InitProducerIdResponse.errorCode is missing/],
    ['a string for a number', { ...response, errorCode: '5' }, /errorCode is not an integer/],
    ['a number out of range', { ...response, errorCode: 40_000 }, /errorCode: 40000 is not an int16/],
    [
      'an int64 out of range',
      { ...response, producerId: 2n ** 63n },
      /producerId: 9223372036854775808 is not an int64/,
    ],
    ['a fraction', { ...response, producerEpoch: new JsonFloat(1.5) }, /producerEpoch is not an integer/],
    ['null', { ...response, producerId: null }, /producerId cannot be null/],
  ])('%s is told with its path', (_what, json, expected) => {
    expect(() => fromJson(InitProducerIdResponse, 1, json)).toThrow(expected);
    expect(() => fromJson(InitProducerIdResponse, 1, json)).toThrow(JsonFormError);
  });

  test('what the message does not know is passed over, also names of Object', () => {
    expect(fromJson(InitProducerIdResponse, 1, { ...response, constructor: 5, more: [] })).toMatchObject(response);
  });

  test('a whole number is taken for a float64', () => {
    const entries = [{ entity: [], ops: [{ key: 'k', value: 5, remove: false }] }];
    expect(fromJson(AlterClientQuotasRequest, 1, { entries, validateOnly: true }).entries[0].ops[0].value).toBe(5);
  });
});
