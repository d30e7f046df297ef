import { expect, test } from 'vitest';
import { durationMs } from '../../src/config/duration.ts';

test.each([
  ['P2D', 172_800_000],
  ['PT1H', 3_600_000],
  ['PT0.5S', 500],
  ['P1DT2H3M4.005S', 93_784_005],
  ['pt1m', 60_000],
])('%s is %i ms', (text, expected) => expect(durationMs(text)).toBe(expected));

test.each(['', '1H', 'PT1X', 'P1H', '-PT1S'])('%j is no duration', (text) => expect(durationMs(text)).toBeNull());
