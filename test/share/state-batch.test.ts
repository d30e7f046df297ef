import fc from 'fast-check';
import { expect, test } from 'vitest';
import { combineBatches, type StateBatch } from '../../src/share/state-batch.ts';

const batch = (firstOffset: number, lastOffset: number, deliveryState: number, deliveryCount: number): StateBatch => ({
  firstOffset,
  lastOffset,
  deliveryState,
  deliveryCount,
});

const anyBatch = fc
  .tuple(fc.nat(30), fc.nat(8), fc.constantFrom(0, 2, 4), fc.integer({ min: 1, max: 4 }))
  .map(([first, more, state, count]) => batch(first, first + more, state, count));

/** The plain model: what is known of each record by itself. */
function byOffset(batches: readonly StateBatch[], startOffset: number): Map<number, string> {
  const latest = new Map<number, StateBatch>();
  for (const one of batches) {
    for (let offset = Math.max(one.firstOffset, startOffset); offset <= one.lastOffset; offset++) {
      const known = latest.get(offset);
      const rank = (b: StateBatch) => b.deliveryCount * 10 + b.deliveryState;
      if (known === undefined || rank(one) > rank(known)) latest.set(offset, one);
    }
  }
  return new Map([...latest].map(([offset, b]) => [offset, `${b.deliveryState}/${b.deliveryCount}`]));
}

test('combining keeps the latest state of every record, without overlap, as short as it can be', () => {
  const start = fc.constantFrom(-1, 0, 5, 20);
  fc.assert(
    fc.property(fc.array(anyBatch, { maxLength: 8 }), start, (batches, startOffset) => {
      const combined = combineBatches(batches, startOffset);
      expect(byOffset(combined, startOffset)).toEqual(byOffset(batches, startOffset));
      for (const [i, one] of combined.slice(1).entries()) {
        const before = combined[i];
        expect(one.firstOffset).toBeGreaterThan(before.lastOffset);
        const isSame = one.deliveryState === before.deliveryState && one.deliveryCount === before.deliveryCount;
        expect(isSame && one.firstOffset === before.lastOffset + 1).toBe(false);
      }
    }),
  );
});

test('a single batch is cut at the start offset', () => {
  expect(combineBatches([batch(3, 9, 2, 1)], 5)).toEqual([batch(5, 9, 2, 1)]);
  expect(combineBatches([batch(3, 9, 2, 1)], 10)).toEqual([]);
});
