import { describe, expect, it } from 'vitest';
import { type Effects, RaftCore } from '../../src/raft/core.ts';

const NOW = 1000;
const NOTHING: Effects = { quorumState: null, appends: [], highWatermark: null };
const values = (...texts: string[]) => texts.map((text) => Buffer.from(text));

/** The only voter, node 1, with a log of 10 records up to epoch 4. */
const sole = () => new RaftCore({ nodeId: 1, voters: [1], leaderEpoch: 4, logEndOffset: 10 });

function leader(): RaftCore {
  const core = sole();
  core.tick(NOW);
  return core;
}

describe('a quorum of one voter', () => {
  it('elects it at once, in the next epoch, by its own vote', () => {
    const core = sole();
    expect([core.role, core.leaderEpoch]).toEqual(['unattached', 4]);
    expect(core.tick(NOW)).toEqual({
      quorumState: { leaderId: 1, leaderEpoch: 5, voters: [1] },
      appends: [
        {
          baseOffset: 10,
          leaderEpoch: 5,
          timestampMs: NOW,
          entry: { type: 'leader-change', leaderId: 1, voters: [1] },
        },
      ],
      highWatermark: null,
    });
    expect([core.role, core.leaderEpoch, core.logEndOffset]).toEqual(['leader', 5, 11]);
  });

  it('holds no second election', () => {
    expect(leader().tick(NOW + 60_000)).toEqual(NOTHING);
  });

  it('appends records at the end of the log, one offset each', () => {
    const core = leader();
    const records = values('a', 'b');
    expect(core.step({ type: 'propose', values: records, nowMs: NOW + 1 }).appends).toEqual([
      { baseOffset: 11, leaderEpoch: 5, timestampMs: NOW + 1, entry: { type: 'records', values: records } },
    ]);
    expect(core.logEndOffset).toBe(13);
  });

  it('commits what is flushed', () => {
    const core = leader();
    core.step({ type: 'propose', values: values('a', 'b', 'c'), nowMs: NOW });
    expect(core.step({ type: 'flushed', endOffset: 12 }).highWatermark).toBe(12);
    expect(core.step({ type: 'flushed', endOffset: 14 }).highWatermark).toBe(14);
    expect(core.highWatermark).toBe(14);
  });

  it('never takes a commit back, whatever is flushed when', () => {
    const core = leader();
    core.step({ type: 'propose', values: values('a', 'b'), nowMs: NOW });
    core.step({ type: 'flushed', endOffset: 13 });
    expect(core.step({ type: 'flushed', endOffset: 12 })).toEqual(NOTHING);
    expect(core.highWatermark).toBe(13);
  });

  it('commits nothing of an earlier epoch before something of its own', () => {
    const core = leader();
    expect(core.step({ type: 'flushed', endOffset: 10 })).toEqual(NOTHING);
    expect(core.highWatermark).toBe(-1);
    expect(core.step({ type: 'flushed', endOffset: 11 }).highWatermark).toBe(11);
  });

  it('goes on where the log still ends when an append was refused', () => {
    const core = leader();
    core.step({ type: 'propose', values: values('a', 'b'), nowMs: NOW });
    expect(core.step({ type: 'refused', endOffset: 11 })).toEqual(NOTHING);
    const { appends } = core.step({ type: 'propose', values: values('c'), nowMs: NOW });
    expect(appends[0]?.baseOffset).toBe(11);
  });
});

describe('what must not be', () => {
  it('a proposal to one who does not lead', () => {
    expect(() => sole().step({ type: 'propose', values: values('a'), nowMs: NOW })).toThrow('does not lead');
  });

  it('a proposal of nothing', () => {
    expect(() => leader().step({ type: 'propose', values: [], nowMs: NOW })).toThrow('no records');
  });

  it('a flush beyond the end', () => {
    expect(() => leader().step({ type: 'flushed', endOffset: 12 })).toThrow('beyond the end 11');
  });

  it.each([[[1, 2, 3]], [[2]], [[]]])('the voters %j for node 1', (voters) => {
    const options = { nodeId: 1, voters, leaderEpoch: 0, logEndOffset: 0 };
    expect(() => new RaftCore(options)).toThrow('a quorum of itself');
  });
});
