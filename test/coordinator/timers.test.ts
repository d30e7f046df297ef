import { describe, expect, it } from 'vitest';
import { Timers } from '../../src/coordinator/timers.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

function setUp() {
  const clock = new VirtualClock();
  const startMs = clock.nowMs();
  const rang: [event: string, atMs: number][] = [];
  const timers = new Timers<string>(clock, (event, claim) => {
    if (claim()) rang.push([event, clock.nowMs() - startMs]);
  });
  return { clock, timers, rang };
}

describe('timers', () => {
  it('ring once, when they are due', async () => {
    const { clock, timers, rang } = setUp();
    timers.schedule('a', 10, 'A');
    timers.schedule('b', 5, 'B');
    await clock.advance(4);
    expect(rang).toEqual([]);
    await clock.advance(100);
    expect(rang).toEqual([
      ['B', 5],
      ['A', 10],
    ]);
    expect(timers.size).toBe(0);
  });

  it('are replaced by name and cancelled', async () => {
    const { clock, timers, rang } = setUp();
    timers.schedule('a', 10, 'A');
    timers.schedule('a', 20, 'A2');
    timers.schedule('b', 10, 'B');
    timers.cancel('b');
    timers.cancel('never set');
    await clock.advance(100);
    expect(rang).toEqual([['A2', 20]]);
  });

  it('are moved forward without asking the clock each time', async () => {
    const { clock, timers, rang } = setUp();
    timers.schedule('a', 10, 'A');
    for (let i = 0; i < 9; i++) {
      await clock.advance(5);
      expect(timers.extend('a', 10)).toBe(true);
      expect(clock.pending).toBe(1);
    }
    expect(rang).toEqual([]);
    await clock.advance(100);
    expect(rang).toEqual([['A', 55]]);
    expect(timers.extend('a', 10)).toBe(false);
  });

  it('may be moved to an earlier time', async () => {
    const { clock, timers, rang } = setUp();
    timers.schedule('a', 1000, 'A');
    timers.extend('a', 10);
    await clock.advance(2000);
    expect(rang).toEqual([['A', 10]]);
  });

  it('count as moved when that happens between ringing and being claimed', async () => {
    const clock = new VirtualClock();
    const claims: (() => boolean)[] = [];
    const timers = new Timers<string>(clock, (_event, claim) => claims.push(claim));
    timers.schedule('a', 10, 'A');
    await clock.advance(10);
    timers.extend('a', 10);
    expect(claims[0]()).toBe(false);
    await clock.advance(10);
    expect(claims).toHaveLength(2);
    expect(claims[1]()).toBe(true);
    expect(claims[1]()).toBe(false);
  });

  it('leave nothing behind when all are cancelled', () => {
    const { clock, timers } = setUp();
    timers.schedule('a', 10, 'A');
    timers.schedule('b', 10, 'B');
    timers.cancelAll();
    expect(clock.pending).toBe(0);
  });
});
