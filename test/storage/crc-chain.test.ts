import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hasValidCrc } from '../../protocol/records/check.ts';
import { CrcChain } from '../../storage/crc-chain.ts';
import { batch, framesOf } from './batches.ts';

function isChainValid(batches: Buffer): boolean {
  const chain = new CrcChain();
  for (const { at, size } of framesOf(batches)) chain.add(batches, at, size);
  return chain.isValid();
}

const neighbours = fc
  .array(fc.record({ count: fc.integer({ min: 1, max: 3 }), valueBytes: fc.nat(300), pad: fc.nat(255) }), {
    minLength: 1,
    maxLength: 12,
  })
  .map((shapes) =>
    Buffer.concat(
      shapes.map(({ count, valueBytes, pad }) => {
        const bytes = batch(count, { valueBytes, timestamp: pad });
        bytes.writeBigInt64BE(BigInt(pad) << 33n, 0);
        return bytes;
      }),
    ),
  );

test('batches with the right CRC make a valid chain', () => {
  fc.assert(
    fc.property(neighbours, (batches) => {
      expect(isChainValid(batches)).toBe(true);
    }),
  );
});

test('a chain is valid exactly where each CRC is, whatever bytes have changed', () => {
  const flips = fc.array(fc.record({ at: fc.nat(), mask: fc.integer({ min: 1, max: 255 }) }), { maxLength: 4 });
  fc.assert(
    fc.property(neighbours, flips, (batches, changes) => {
      const frames = framesOf(batches);
      for (const { at, mask } of changes) {
        const place = at % batches.length;
        // The framing has to hold.
        const frame = frames.find(({ at: start, size }) => place < start + size);
        if (frame !== undefined && (place < frame.at + 8 || place >= frame.at + 12)) batches[place] ^= mask;
      }
      const each = frames.every(({ at }) => hasValidCrc(batches, at));
      expect(isChainValid(batches)).toBe(each);
    }),
    { numRuns: 2000 },
  );
});

test('a chain begins anew after each question', () => {
  const chain = new CrcChain();
  expect(chain.isValid()).toBe(true);
  const wrong = batch(1);
  wrong[wrong.length - 1] ^= 1;
  chain.add(wrong, 0, wrong.length);
  expect(chain.isValid()).toBe(false);
  const right = batch(2);
  chain.add(right, 0, right.length);
  expect(chain.isValid()).toBe(true);
});
