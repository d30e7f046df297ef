import { describe, expect, it } from 'vitest';
import { controlBatch, kraftVersionRecord } from '../../protocol/records/control.ts';
import { type LogBatch, type LogReader, MetadataLog } from '../../src/raft/driver.ts';
import { type SnapshotId, snapshotName } from '../../src/raft/snapshot-file.ts';
import { UnreadableMetadata } from '../../src/raft/unreadable-metadata.ts';
import { systemClock } from '../../src/system-env.ts';
import { DEFAULT_LOG_CONFIG, Log, MemoryDisk } from '../../storage/index.ts';
import { CollectingLogger } from '../support/loggers.ts';

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

async function open(on: MemoryDisk, { nodeId = 1, segmentBytes = 1_000_000 } = {}) {
  const reader = new Reader();
  const logger = new CollectingLogger();
  const options = { disk: on, dir: '/data', nodeId, clock: systemClock, logger, segmentBytes, segmentMs: 1e9 };
  const log = await MetadataLog.open(options, reader);
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
  const refusalOf = async (on: MemoryDisk, nodeId = 1): Promise<string> => {
    const error = await open(on, { nodeId }).catch((e) => e);
    expect(error).toBeInstanceOf(UnreadableMetadata);
    return error.message;
  };

  it('the log of another quorum', async () => {
    const on = disk();
    await (await open(on)).log.close();
    expect(await refusalOf(on, 2)).toContain('belongs to a quorum of the nodes 1, not of 2 alone.');
  });

  it.each([
    ['no JSON', '{"clusterId":', 'is damaged: it is no JSON'],
    [
      'of kraft.version 1',
      '{"leaderId":1,"leaderEpoch":1,"data_version":1}',
      'kraft.version 1, which keeps the voters',
    ],
  ])('a quorum state that is %s', async (_what, text, message) => {
    const on = disk();
    on.makeDir(DIR);
    on.writeFile(STATE, text);
    expect(await refusalOf(on)).toContain(message);
  });

  it('a log of kraft.version 1', async () => {
    const on = disk();
    const options = { disk: on, dir: DIR, topic: '__cluster_metadata', partition: 0, topicId: null, clean: false };
    const log = Log.open({ ...options, config: DEFAULT_LOG_CONFIG, clock: systemClock });
    const version = kraftVersionRecord({ version: 0, kRaftVersion: 1 });
    log.appendAsLeader(controlBatch([version], { baseOffset: 0, leaderEpoch: 1, timestampMs: 0 }), 1, 'raft');
    log.close();
    expect(await refusalOf(on)).toContain('is of kraft.version 1');
  });
});
