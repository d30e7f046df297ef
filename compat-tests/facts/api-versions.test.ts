import { expect, it } from 'vitest';
import { describeBrokers } from '../describe-brokers.ts';
import { notYetServed } from '../not-yet.ts';
import { compactString, flexibleRequest, noTags, RawConnection } from '../wire/raw.ts';

/** Reads an ApiVersions v4 answer from behind its correlation id. */
class Answer {
  readonly #bytes: Buffer;
  #at = 4;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int16(): number {
    this.#at += 2;
    return this.#bytes.readInt16BE(this.#at - 2);
  }

  skip(size: number): void {
    this.#at += size;
  }

  varint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#bytes[this.#at++];
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  string(): string {
    const length = this.varint() - 1;
    this.#at += length;
    return this.#bytes.toString('utf8', this.#at - length, this.#at);
  }

  array<T>(read: () => T): T[] {
    const items: T[] = [];
    for (let left = this.varint() - 1; left > 0; left--) {
      items.push(read());
      this.varint(); // no tagged fields in an element
    }
    return items;
  }
}

type Facts = { apis: string[]; supported: string[]; finalized: string[]; tags: number[] };

async function apiVersions(bootstrapServers: string): Promise<Facts> {
  const connection = await RawConnection.open(bootstrapServers);
  connection.send(flexibleRequest(18, 4, 1, compactString('raw'), compactString('1.0'), noTags));
  const answer = new Answer(await connection.bytes());
  connection.close();
  expect(answer.int16()).toBe(0);
  const apis = answer.array(() => `${answer.int16()}: ${answer.int16()}-${answer.int16()}`);
  answer.skip(4); // throttle time
  const facts: Facts = { apis, supported: [], finalized: [], tags: [] };
  const feature = (): string => `${answer.string()}: ${answer.int16()} ${answer.int16()}`;
  for (let tags = answer.varint(); tags > 0; tags--) {
    const tag = answer.varint();
    const size = answer.varint();
    facts.tags.push(tag);
    if (tag === 0) facts.supported = answer.array(feature).sort();
    else if (tag === 2) facts.finalized = answer.array(feature).sort();
    else answer.skip(size);
  }
  return facts;
}

const keyOf = (line: string): number => Number(line.split(':')[0]);

/** What odradek advertises and what it is known to lack; none of it may be advertised already. */
function withNotYetServed(apis: readonly string[]): string[] {
  expect(apis.filter((line) => notYetServed.has(keyOf(line)))).toEqual([]);
  const missing = [...notYetServed].map(([key, { versions }]) => `${key}: ${versions}`);
  return [...apis, ...missing].sort((a, b) => keyOf(a) - keyOf(b));
}

describeBrokers('ApiVersions', (broker) => {
  it('advertises the APIs and versions of Kafka 4.3.1, in the order of their keys', async () => {
    const { apis } = await apiVersions(broker.bootstrapServers);
    const complete = broker.name === 'odradek' ? withNotYetServed(apis) : apis;
    await expect(complete.join('\n') + '\n').toMatchFileSnapshot('expected/api-versions.txt');
  });

  it('advertises the features of Kafka 4.3.1: supported (lowest, highest) and finalized (highest, lowest)', async () => {
    const { supported, finalized, tags } = await apiVersions(broker.bootstrapServers);
    const text = ['supported', ...supported, 'finalized', ...finalized, ''].join('\n');
    await expect(text).toMatchFileSnapshot('expected/features.txt');
    expect(tags).toEqual([0, 1, 2]);
  });
});
