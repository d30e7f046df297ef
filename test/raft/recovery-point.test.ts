import { describe, expect, it } from 'vitest';
import { explainFailure } from '../../src/cli/failure.ts';
import { type LogReader, MetadataLog } from '../../src/raft/driver.ts';
import { UnreadableMetadata } from '../../src/raft/unreadable-metadata.ts';
import { systemClock } from '../../src/system-env.ts';
import { type Disk, MemoryDisk } from '../../storage/index.ts';
import { FaultyDisk } from '../sim/faulty-disk.ts';
import { framesOf } from '../storage/batches.ts';
import { CollectingLogger } from '../support/loggers.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { voter } from './voters.ts';

const DIR = '/data/__cluster_metadata-0';
const LOG = `${DIR}/00000000000000000000.log`;
const NOTED = `${DIR}/recovery-point-offset-checkpoint`;

/** Opens the log; what it holds beside the changes of the leader. */
async function open(on: Disk, segmentBytes = 1_000_000) {
  const seen: string[] = [];
  const reader: LogReader = {
    snapshot: () => {},
    batch: (_batch, values) => void seen.push(...values.map(String)),
  };
  const logger = new CollectingLogger();
  const options = { local: voter(1), initialKraftVersion: 0, segmentBytes, segmentMs: 1e9, clock: systemClock, logger };
  return { log: await MetadataLog.open({ disk: on, dir: '/data', ...options }, reader), seen, logger };
}

/** A log with these texts, each in a batch of its own, all of them committed; the process goes on. */
async function filled(texts: readonly string[], segmentBytes?: number) {
  const disk = new MemoryDisk();
  disk.makeDir('/data');
  const { log } = await open(disk, segmentBytes);
  for (const text of texts) await log.committed(log.append([Buffer.from(text)]).lastOffset);
  return { disk, log };
}

const content = (disk: MemoryDisk, path = LOG): Buffer => disk.readFile(path) as Buffer;

function flip(disk: MemoryDisk, at: number): void {
  const changed = Buffer.from(content(disk));
  changed[at] ^= 0x55;
  disk.writeFile(LOG, changed);
}

/** What the start says; the log has to be as it was then. */
async function refusal(disk: MemoryDisk): Promise<string> {
  const before = content(disk);
  const error = await open(disk).catch((e) => e);
  expect(error).toBeInstanceOf(UnreadableMetadata);
  expect(content(disk).equals(before)).toBe(true);
  return explainFailure(error) as string;
}

/** The leader epoch, which no CRC covers: one that is higher may be right. */
const isUncovered = (offsetInBatch: number): boolean => offsetInBatch >= 12 && offsetInBatch < 16;

describe('after an orderly end nothing of the metadata log is cut', () => {
  it('wherever a byte has changed', async () => {
    const { disk, log } = await filled(['a', 'b', 'c']);
    await log.close();
    const whole = content(disk);
    for (const { at, size } of framesOf(whole)) {
      for (let within = 0; within < size; within++) {
        if (isUncovered(within)) continue;
        disk.writeFile(LOG, whole);
        flip(disk, at + within);
        expect(await refusal(disk)).toContain(`${LOG} is damaged at byte ${at}: `);
      }
    }
  });

  it('wherever the file ends', async () => {
    const { disk, log } = await filled(['a', 'b']);
    await log.close();
    const whole = content(disk);
    for (let size = 0; size < whole.length; size++) {
      disk.writeFile(LOG, whole.subarray(0, size));
      expect(await refusal(disk)).toContain('the recovery point is 3');
    }
  });

  it('which is told in one line, with file, position and reason', async () => {
    const { disk, log } = await filled(['a', 'b']);
    await log.close();
    const [, { at }] = framesOf(content(disk));
    flip(disk, at + 65);
    const reason = 'the CRC-32C of the record batch does not match, at offset 1; the recovery point is 3';
    expect(await refusal(disk)).toBe(
      `The metadata log cannot be used: ${LOG} is damaged at byte ${at}: ${reason}. Nothing of it was cut.`,
    );
  });
});

describe('after a kill', () => {
  it('what was committed is not cut', async () => {
    const { disk } = await filled(['a', 'b']);
    const whole = content(disk);
    for (const { at } of framesOf(whole)) {
      disk.writeFile(LOG, whole);
      flip(disk, at + 65);
      expect(await refusal(disk)).toContain('the recovery point is 3');
    }
  });

  it('a write that was cut short is', async () => {
    const { disk, log } = await filled(['a', 'b']);
    const committed = content(disk).length;
    log.append([Buffer.from('c')]);
    const whole = content(disk);
    for (let size = committed; size < whole.length; size++) {
      const torn = new MemoryDisk();
      torn.makeDir(DIR);
      torn.writeFile(LOG, whole.subarray(0, size));
      torn.writeFile(NOTED, content(disk, NOTED));
      const again = await open(torn);
      expect(again.seen).toEqual(['a', 'b']);
      expect(again.logger.of('warn').length).toBe(size === committed ? 0 : 1);
    }
  });
});

describe('where nobody has noted how far the log is on disk, as Kafka leaves it', () => {
  const unnoted = async (segmentBytes?: number) => {
    const { disk, log } = await filled(['a', 'b', 'c'], segmentBytes);
    await log.close();
    disk.remove(NOTED);
    return disk;
  };

  it('a batch that is not valid is cut at the end', async () => {
    const disk = await unnoted();
    flip(disk, content(disk).length - 1);
    expect((await open(disk)).seen).toEqual(['a', 'b']);
  });

  it.each([
    ['of its records', 65],
    ['of its length', 9],
    ['of its magic byte', 16],
  ])('one with a byte changed %s is not, where others follow', async (_what, within) => {
    const disk = await unnoted();
    flip(disk, framesOf(content(disk))[1].at + within);
    expect(await refusal(disk)).toContain('at offset 1; valid batches follow. Nothing of it was cut.');
  });

  it('nor where another segment follows', async () => {
    const disk = await unnoted(150);
    expect(disk.list(DIR).filter((name) => name.endsWith('.log')).length).toBeGreaterThan(1);
    flip(disk, content(disk).length - 1);
    expect(await refusal(disk)).toContain('valid batches follow');
  });

  it('it is noted from then on', async () => {
    const disk = await unnoted();
    await (await open(disk)).log.close();
    expect(String(content(disk, NOTED))).toBe('0\n1\n__cluster_metadata 0 00000000000000000005\n');
  });
});

it('a recovery point that cannot be read is as good as none', async () => {
  const { disk, log } = await filled(['a', 'b']);
  await log.close();
  disk.writeFile(NOTED, 'garbage');
  const again = await open(disk);
  expect(again.seen).toEqual(['a', 'b']);
  expect(again.logger.of('warn')).toEqual(['the recovery point of the metadata log cannot be read']);
});

it('a recovery point that cannot be written does not keep anything from being committed', async () => {
  const { disk, log } = await filled(['a']);
  disk.remove(NOTED);
  disk.makeDir(`${NOTED}/in the way`);
  await log.committed(log.append([Buffer.from('b')]).lastOffset);
  await log.close();
  disk.remove(NOTED);
  expect((await open(disk)).seen).toEqual(['a', 'b']);
});

it('whatever a power cut leaves, what was committed is there, and the start is not refused', async () => {
  for (let seed = 0; seed < 400; seed++) {
    const random = new SeededRandom(seed);
    const disk = new FaultyDisk(random);
    disk.makeDir('/data');
    disk.syncDir('/');
    let committed: string[] = [];
    for (let life = 0; life < 3; life++) {
      const { log, seen } = await open(disk);
      expect(seen.slice(0, committed.length)).toEqual(committed);
      const texts = [...seen];
      for (let i = random.int(6); i > 0; i--) {
        texts.push(`${life}.${i}${'x'.repeat(random.int(600))}`);
        const { lastOffset } = log.append([Buffer.from(texts[texts.length - 1])]);
        if (random.int(2) === 0) {
          await log.committed(lastOffset);
          committed = [...texts];
        }
      }
      if (random.int(3) === 0) {
        await log.close();
        committed = [...texts];
      }
      disk.powerCut();
    }
    expect((await open(disk)).seen.slice(0, committed.length)).toEqual(committed);
  }
});
