import { describe, expect, it } from 'vitest';
import { attributes, CONTROL_BIT, sizeBytes } from '../../protocol/records/batch.ts';
import { type ControlRecord, controlBatch, readControlRecord } from '../../protocol/records/control.ts';
import { readRecords } from '../../protocol/records/decode.ts';
import { type LogBatch, type LogReader, MetadataLog } from '../../src/raft/driver.ts';
import { type Quorum, quorumRecords, staticQuorum, type Voter } from '../../src/raft/quorum.ts';
import { BOOTSTRAP_SNAPSHOT, decodeSnapshot, type SnapshotId, snapshotName } from '../../src/raft/snapshot-file.ts';
import { UnreadableMetadata } from '../../src/raft/unreadable-metadata.ts';
import { systemClock } from '../../src/system-env.ts';
import { DEFAULT_LOG_CONFIG, Log, MemoryDisk } from '../../storage/index.ts';
import { CollectingLogger } from '../support/loggers.ts';
import { voter } from './voters.ts';

const DIR = '/data/__cluster_metadata-0';
const STATE = `${DIR}/quorum-state`;
const NO_LIMIT = { retentionBytes: -1, retentionMs: -1 };

/** Notes what it is told: a snapshot as its end, `#` for control records. */
class Reader implements LogReader {
  readonly seen: string[] = [];
  last: LogBatch | null = null;

  snapshot({ endOffset }: SnapshotId, _timestampMs: number, values: readonly Buffer[]): void {
    this.seen.push(`snapshot to ${endOffset}: ${values.join(' ')}`);
  }
  batch(batch: LogBatch, values: readonly Buffer[]): void {
    this.last = batch;
    this.seen.push(`${batch.baseOffset}: ${values.length === 0 ? '#' : values.join(' ')}`);
  }
}

function disk(capacityBytes?: number): MemoryDisk {
  const made = new MemoryDisk(capacityBytes === undefined ? {} : { capacityBytes });
  made.makeDir('/data');
  return made;
}

interface OpenOptions {
  readonly local?: Voter;
  readonly initialKraftVersion?: number;
  readonly segmentBytes?: number;
}

async function open(on: MemoryDisk, given: OpenOptions = {}) {
  const reader = new Reader();
  const logger = new CollectingLogger();
  const quorum = { local: voter(1), initialKraftVersion: 0 };
  const segments = { segmentBytes: 1_000_000, segmentMs: 1e9 };
  const log = await MetadataLog.open(
    { disk: on, dir: '/data', clock: systemClock, logger, ...quorum, ...segments, ...given },
    reader,
  );
  return { log, reader, logger };
}

/** Appends each text as a batch of its own and commits it. */
async function append(log: MetadataLog, ...texts: string[]): Promise<LogBatch> {
  const batches = texts.map((text) => log.append([Buffer.from(text)]));
  const last = batches.at(-1) as LogBatch;
  await log.committed(last.lastOffset);
  return last;
}

/** A snapshot up to the end of the log, which it says in one record. */
function snapshot(log: MetadataLog, text: string): Promise<boolean> {
  const id = { endOffset: log.endOffset, leaderEpoch: log.leaderEpoch };
  return log.createSnapshot(id, 7, [Buffer.from(text)]);
}

describe('the metadata log', () => {
  it('begins with the change of the leader, and holds what was appended when it is opened again', async () => {
    const on = disk();
    const first = await open(on);
    await append(first.log, 'a', 'b');
    expect([first.log.leaderEpoch, first.log.highWatermark, first.log.endOffset]).toEqual([1, 3, 3]);
    await first.log.close();
    const second = await open(on);
    expect(second.reader.seen).toEqual(['0: #', '1: a', '2: b', '3: #']);
    expect(second.log.leaderEpoch).toBe(2);
    expect(second.reader.last).toMatchObject({ lastOffset: 3, leaderEpoch: 2 });
  });

  it('keeps the quorum state as Kafka writes it', async () => {
    const on = disk();
    await open(on);
    expect(String(on.readFile(STATE))).toBe(
      '{"clusterId":"","leaderId":1,"leaderEpoch":1,"votedId":-1,"appliedOffset":0,"currentVoters":[{"voterId":1}],"data_version":0}',
    );
  });

  it('leads in an epoch above that of the quorum state, where the log does not know it yet', async () => {
    const on = disk();
    on.makeDir(DIR);
    const state = { leaderId: -1, leaderEpoch: 41, currentVoters: [{ voterId: 1 }], data_version: 0 };
    on.writeFile(STATE, JSON.stringify(state));
    expect((await open(on)).log.leaderEpoch).toBe(42);
  });

  it('resolves a commit once it is on disk, at once where it is already', async () => {
    const { log } = await open(disk());
    const { lastOffset } = log.append([Buffer.from('a'), Buffer.from('b')]);
    expect(log.highWatermark).toBe(1);
    await log.committed(lastOffset);
    expect(log.highWatermark).toBe(3);
    await log.committed(0);
  });

  it('goes on after an append that the disk had no room for', async () => {
    const on = disk(20_000);
    const { log } = await open(on);
    expect(() => log.append([Buffer.alloc(30_000)])).toThrow('used up');
    await append(log, 'a');
    await log.close();
    expect((await open(on)).reader.seen).toContain('1: a');
  });
});

describe('a snapshot of the metadata log', () => {
  it('stands for what lies before it', async () => {
    const on = disk();
    const first = await open(on);
    await append(first.log, 'a', 'b');
    await snapshot(first.log, 'a+b');
    await append(first.log, 'c');
    await first.log.close();
    expect((await open(on)).reader.seen).toEqual(['snapshot to 3: a+b', '3: c', '4: #']);
  });

  it('is refused of what is not committed', async () => {
    const { log } = await open(disk());
    log.append([Buffer.from('a')]);
    expect(() => snapshot(log, 'a')).toThrow('not committed yet');
  });

  it('is given up when the log is closed', async () => {
    const on = disk();
    const { log } = await open(on);
    const id = { endOffset: log.endOffset, leaderEpoch: 1 };
    const writing = log.createSnapshot(id, 7, Array<Buffer>(5000).fill(Buffer.from('x')));
    await log.close();
    expect(await writing).toBe(false);
    expect(on.list(DIR).filter((name) => name.includes('checkpoint.'))).toEqual([]);
  });

  /** Segments of a few records each, a snapshot after each of ten appends. */
  async function long(on: MemoryDisk) {
    const { log } = await open(on, { segmentBytes: 250 });
    for (let i = 0; i < 10; i++) {
      await append(log, `r${i}`);
      await snapshot(log, `up to r${i}`);
    }
    return log;
  }
  const segments = (on: MemoryDisk) => on.list(DIR).filter((name) => name.endsWith('.log'));
  const snapshots = (on: MemoryDisk) => on.list(DIR).filter((name) => name.endsWith('.checkpoint'));

  it('lets go of the log and of older snapshots, as far as the limits ask for it', async () => {
    const on = disk();
    const log = await long(on);
    const [segmentsBefore, snapshotsBefore] = [segments(on).length, snapshots(on).length];
    await log.clean(NO_LIMIT);
    expect([segments(on).length, snapshots(on).length]).toEqual([segmentsBefore, snapshotsBefore]);
    await log.clean({ retentionBytes: 1500, retentionMs: -1 });
    expect(segments(on).length).toBeLessThan(segmentsBefore);
    expect(snapshots(on).length).toBeGreaterThan(1);
    await log.clean({ retentionBytes: 0, retentionMs: -1 });
    expect(snapshots(on)).toEqual([snapshotName({ endOffset: 11, leaderEpoch: 1 })]);
    await log.close();
    const again = await open(on);
    expect(again.reader.seen).toEqual(['snapshot to 11: up to r9', '11: #']);
    await append(again.log, 'more');
    await again.log.close();
    expect((await open(on)).reader.seen.slice(1)).toEqual(['11: #', '12: more', '13: #']);
  });

  it('that is damaged is left aside where the log reaches further back', async () => {
    const on = disk();
    const { log } = await open(on);
    await append(log, 'a');
    await snapshot(log, 'a');
    await log.close();
    on.writeFile(`${DIR}/${snapshotName({ endOffset: 2, leaderEpoch: 1 })}`, 'x');
    const again = await open(on);
    expect(again.reader.seen).toEqual(['0: #', '1: a', '2: #']);
    expect(again.logger.of('warn')).toEqual(['a damaged snapshot of the metadata is left aside']);
  });

  it('that is missing or damaged, with a log that begins behind it, ends the start in words', async () => {
    const on = disk();
    const log = await long(on);
    await log.clean({ retentionBytes: 0, retentionMs: -1 });
    await log.close();
    on.writeFile(`${DIR}/${snapshotName({ endOffset: 11, leaderEpoch: 1 })}`, 'x');
    const error = await open(on).catch((e) => e);
    expect(error).toBeInstanceOf(UnreadableMetadata);
    expect(error.message).toMatch(
      /^The metadata log in \S+ begins at offset \d+, and there is no snapshot that can be read: what came before is lost\.$/,
    );
  });

  it('beyond the end of the log takes its place', async () => {
    const on = disk();
    const { log } = await open(on);
    await append(log, 'a', 'b');
    await snapshot(log, 'a+b');
    await log.close();
    for (const name of on.list(DIR)) if (!/checkpoint$|quorum/.test(name)) on.remove(`${DIR}/${name}`);
    const again = await open(on);
    expect(again.reader.seen).toEqual(['snapshot to 3: a+b', '3: #']);
    await append(again.log, 'c');
    await again.log.close();
    expect((await open(on)).reader.seen).toEqual(['snapshot to 3: a+b', '3: #', '4: c', '5: #']);
  });
});

describe('what this node must not begin from', () => {
  const refusalOf = async (on: MemoryDisk, local = voter(1)): Promise<string> => {
    const error = await open(on, { local }).catch((e) => e);
    expect(error).toBeInstanceOf(UnreadableMetadata);
    return error.message;
  };

  it('the log of another quorum', async () => {
    const on = disk();
    await (await open(on)).log.close();
    expect(await refusalOf(on, voter(2))).toContain('belongs to a quorum of the nodes 1, not of 2 alone.');
  });

  it.each([
    ['no JSON', '{"clusterId":', 'is damaged: it is no JSON'],
    ['of a later version', '{"leaderId":1,"leaderEpoch":1,"data_version":2}', 'is of version 2, which odradek'],
    ['of no version', '{"leaderId":1,"leaderEpoch":1}', 'is of version undefined, which odradek'],
  ])('a quorum state that is %s', async (_what, text, message) => {
    const on = disk();
    on.makeDir(DIR);
    on.writeFile(STATE, text);
    expect(await refusalOf(on)).toContain(message);
  });

  it.each<[string, Quorum, string]>([
    [
      'of several voters',
      { kraftVersion: 1, voters: [voter(1), voter(2)] },
      'belongs to a quorum of the nodes 1, 2, not of 1 alone.',
    ],
    [
      'of another voter',
      { kraftVersion: 1, voters: [voter(2)] },
      'belongs to a quorum of the nodes 2, not of 1 alone.',
    ],
    [
      'of this node in another directory',
      { kraftVersion: 1, voters: [voter(1, 9093, 'AAAAAAAAAAAAAAAAAAAAZQ')] },
      'has as its voter the directory.id AAAAAAAAAAAAAAAAAAAAZQ, not that of this directory, L64uJ7GGjJQoJZ-BUlDDQA.',
    ],
    [
      'of a later kraft.version',
      { kraftVersion: 2, voters: [voter(1)] },
      'is of kraft.version 2; odradek supports 0 to 1.',
    ],
  ])('a log %s', async (_what, quorum, message) => {
    const on = disk();
    writeLog(on, quorum);
    expect(await refusalOf(on)).toBe(`The metadata log in ${DIR} ${message}`);
  });
});

/** A log that says this of its quorum, and nothing else. */
function writeLog(on: MemoryDisk, quorum: Quorum): void {
  const options = { disk: on, dir: DIR, topic: '__cluster_metadata', partition: 0, topicId: null, clean: false };
  const log = Log.open({ ...options, config: DEFAULT_LOG_CONFIG, clock: systemClock });
  const at = { baseOffset: 0, leaderEpoch: 1, timestampMs: 0 };
  log.appendAsLeader(controlBatch(quorumRecords(quorum), at), 1, 'raft');
  log.close();
}

describe('voters in the log (kraft.version 1)', () => {
  const dynamic: Quorum = { kraftVersion: 1, voters: [voter(1)] };
  const BOOTSTRAP = `${DIR}/${snapshotName(BOOTSTRAP_SNAPSHOT)}`;

  /** The control records of the log, each as its type and offset. */
  function controls(on: MemoryDisk): string[] {
    const bytes = on.readFile(`${DIR}/00000000000000000000.log`) as Buffer;
    const found: [number, ControlRecord][] = [];
    for (let at = 0; at < bytes.length; at += sizeBytes(bytes, at)) {
      if ((attributes(bytes, at) & CONTROL_BIT) === 0) continue;
      for (const record of readRecords(bytes, at)) found.push([record.offset, readControlRecord(record)]);
    }
    return found.map(([offset, { type }]) => `${offset}: ${type}`);
  }

  it('begin with a snapshot of nothing, are in the first batch of the log, and stay', async () => {
    const on = disk();
    const first = await open(on, { initialKraftVersion: 1 });
    expect(first.log.quorum).toEqual(dynamic);
    expect(decodeSnapshot(on.readFile(BOOTSTRAP) as Buffer).values).toEqual([]);
    await append(first.log, 'a');
    await first.log.close();
    const second = await open(on);
    expect(second.log.quorum).toEqual(dynamic);
    expect(second.reader.seen).toEqual(['snapshot to 0: ', '0: #', '3: a', '4: #']);
    await second.log.close();
    expect(controls(on)).toEqual(['0: leader-change', '1: kraft-version', '2: kraft-voters', '4: leader-change']);
  });

  it('begin in the log where only the snapshot of nothing is there, as kafka-storage leaves it', async () => {
    const on = disk();
    await (await open(on, { initialKraftVersion: 1 })).log.close();
    for (const name of on.list(DIR)) if (!name.endsWith('.checkpoint')) on.remove(`${DIR}/${name}`);
    const { log } = await open(on);
    expect(log.quorum).toEqual(dynamic);
    await log.close();
    expect(controls(on)).toEqual(['0: leader-change', '1: kraft-version', '2: kraft-voters']);
  });

  it('are not remembered in the quorum state', async () => {
    const on = disk();
    await open(on, { initialKraftVersion: 1 });
    expect(String(on.readFile(STATE))).toBe(
      '{"leaderId":1,"leaderEpoch":1,"votedId":-1,"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1}',
    );
  });

  it('follow the listener of the leader', async () => {
    const on = disk();
    await (await open(on, { initialKraftVersion: 1 })).log.close();
    const moved = voter(1, 9999);
    const { log } = await open(on, { local: moved });
    expect(log.quorum.voters).toEqual([moved]);
    await log.close();
    expect((await open(on, { local: { ...moved, endpoints: [] } })).log.quorum.voters).toEqual([moved]);
  });

  it('come with an upgrade, and the quorum state with the next epoch', async () => {
    const on = disk();
    const first = await open(on);
    expect(first.log.quorum).toEqual(staticQuorum(voter(1)));
    first.log.upgrade(1);
    await append(first.log, 'a');
    expect([first.log.quorum, first.log.highWatermark]).toEqual([dynamic, 4]);
    expect(String(on.readFile(STATE))).toContain('"data_version":0');
    await first.log.close();
    const second = await open(on);
    expect(second.log.quorum).toEqual(dynamic);
    expect(second.reader.seen).toEqual(['0: #', '1: #', '3: a', '4: #']);
    expect(String(on.readFile(STATE))).toContain('"data_version":1');
    expect(controls(on)).toEqual(['0: leader-change', '1: kraft-version', '2: kraft-voters', '4: leader-change']);
  });

  it('are in a snapshot as they were at its end', async () => {
    const on = disk();
    const { log } = await open(on);
    const before = { endOffset: log.endOffset, leaderEpoch: 1 };
    log.upgrade(1);
    const { lastOffset } = await append(log, 'a');
    const behind = { endOffset: lastOffset + 1, leaderEpoch: 1 };
    await log.createSnapshot(before, 7, []);
    await log.createSnapshot(behind, 7, []);
    await log.close();
    const voters = (id: SnapshotId) =>
      decodeSnapshot(on.readFile(`${DIR}/${snapshotName(id)}`) as Buffer).controls.map(({ type }) => type);
    expect(voters(before)).not.toContain('kraft-voters');
    expect(voters(behind)).toContain('kraft-voters');
    for (const name of on.list(DIR)) if (!name.startsWith(snapshotName(behind))) on.remove(`${DIR}/${name}`);
    expect((await open(on)).log.quorum).toEqual(dynamic);
  });

  it('are for the configuration to say where there is a log without them', async () => {
    const on = disk();
    await (await open(on)).log.close();
    expect((await open(on, { initialKraftVersion: 1 })).log.quorum.kraftVersion).toBe(0);
  });
});
