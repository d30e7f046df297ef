import { describe, expect, it } from 'vitest';
import { type Effects, RaftCore } from '../../src/raft/core.ts';
import { type Quorum, staticQuorum, type Voter } from '../../src/raft/quorum.ts';
import { QuorumHistory } from '../../src/raft/quorum-history.ts';
import { voter } from './voters.ts';

const NOW = 1000;
const NOTHING: Effects = { quorumState: null, appends: [], highWatermark: null };
const values = (...texts: string[]) => texts.map((text) => Buffer.from(text));

/** The only voter, node 1, with a log of 10 records up to epoch 4. */
const sole = () => coreOf(new QuorumHistory(staticQuorum(voter(1))));
const coreOf = (history: QuorumHistory, local: Voter = voter(1)) =>
  new RaftCore({ local, history, leaderEpoch: 4, logEndOffset: 10 });

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
      quorumState: { leaderId: 1, leaderEpoch: 5, voters: [1], kraftVersion: 0 },
      appends: [
        {
          baseOffset: 10,
          leaderEpoch: 5,
          timestampMs: NOW,
          entry: { type: 'leader-change', leaderId: 1, voters: [1], quorum: null },
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

describe('voters in the log', () => {
  const dynamic = (...voters: Voter[]): Quorum => ({ kraftVersion: 1, voters });

  /** One that leads, where the log says `quorum` at `offset`. */
  function led(quorum: Quorum, offset: number, local?: Voter) {
    const history = new QuorumHistory(staticQuorum(voter(1)));
    history.add(offset, quorum);
    const core = coreOf(history, local);
    return { core, effects: core.tick(NOW) };
  }

  it.each<[string, number, Voter, Quorum | null]>([
    ['are left as they are where the log says them so', 3, voter(1), null],
    ['are written into a log that begins', -1, voter(1), dynamic(voter(1))],
    ['are written anew when the leader listens elsewhere', 3, voter(1, 9999), dynamic(voter(1, 9999))],
    [
      'are written anew when the leader understands more',
      3,
      { ...voter(1), maxKraftVersion: 2 },
      dynamic({ ...voter(1), maxKraftVersion: 2 }),
    ],
    ['keep their endpoints where the leader says nothing of its own', 3, { ...voter(1), endpoints: [] }, null],
  ])('%s', (_what, offset, local, written) => {
    const { core, effects } = led(dynamic(voter(1)), offset, local);
    const entry = { type: 'leader-change', leaderId: 1, voters: [1], quorum: written };
    expect(effects.appends).toMatchObject([{ baseOffset: 10, entry }]);
    expect(effects.quorumState).toEqual({ leaderId: 1, leaderEpoch: 5, voters: [1], kraftVersion: 1 });
    expect(core.logEndOffset).toBe(written === null ? 11 : 13);
    expect(core.quorum).toEqual(written ?? dynamic(voter(1)));
  });

  it('come there with an upgrade of kraft.version, which stays what it is the second time', () => {
    const core = leader();
    const upgrade = { type: 'upgrade', kraftVersion: 1, nowMs: NOW } as const;
    const quorum = dynamic(voter(1));
    expect(core.step(upgrade).appends).toEqual([
      { baseOffset: 11, leaderEpoch: 5, timestampMs: NOW, entry: { type: 'quorum', quorum } },
    ]);
    expect([core.quorum, core.logEndOffset]).toEqual([quorum, 13]);
    expect(core.quorumAt(11).kraftVersion).toBe(0);
    expect(core.quorumAt(12)).toEqual(quorum);
    expect(core.step(upgrade)).toEqual(NOTHING);
    expect(() => core.step({ ...upgrade, kraftVersion: 0 })).toThrow('downgrade');
  });

  it('are not there when the log did not take them', () => {
    const core = leader();
    core.step({ type: 'upgrade', kraftVersion: 1, nowMs: NOW });
    core.step({ type: 'refused', endOffset: 11 });
    expect(core.quorum).toEqual(staticQuorum(voter(1)));
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
    const history = new QuorumHistory({ kraftVersion: 1, voters: voters.map((id) => voter(id)) });
    expect(() => coreOf(history)).toThrow('a quorum of itself');
  });
});
