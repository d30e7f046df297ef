import { expect, test } from 'vitest';
import { encodeBatch } from '../../protocol/records/encode.ts';
import { createLogCleaner } from '../../src/node/cleaner.ts';
import { LiveConfig } from '../../src/node/live-config.ts';
import { LogDirectories } from '../../src/node/log-directories.ts';
import type { Partitions } from '../../src/partition/partitions.ts';
import { DEFAULT_LOG_CONFIG, DiskError, MemoryDisk } from '../../storage/index.ts';
import { brokerConfig } from '../config/samples.ts';
import { CollectingLogger } from '../support/loggers.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

test('a directory whose disk fails under a compaction goes offline', async () => {
  const disk = new MemoryDisk();
  const clock = new VirtualClock();
  const random = new SeededRandom(1);
  const logger = new CollectingLogger();
  const config = brokerConfig();
  const paths = ['/first', '/second'];
  const checkFiles = () => Promise.resolve(new Map());
  const logs = new LogDirectories({ disk, paths, clock, random, logger, config: () => config, checkFiles });
  const topic = { ...DEFAULT_LOG_CONFIG, cleanupPolicy: { delete: false, compact: true }, segmentBytes: 200 };
  const log = logs.openOrCreate('t', 0, 'abcdefghijklmnopqrstuv', topic as never, null);
  if (log === null) throw new Error('no log');
  const key = Buffer.from('k');
  for (let i = 0; i < 10; i++) log.appendAsLeader(encodeBatch([{ key, value: Buffer.alloc(50), timestamp: 1 }]), 0);
  await log.flush();
  const offline: string[] = [];
  logs.whenOffline((_id, lost, { code }) => offline.push(`${lost.map(({ dir }) => dir).join()} ${code}`));
  const open = disk.open.bind(disk);
  const home = logs.pathOf(log);
  disk.open = (path, mode) => {
    if (mode === 'create' && path.startsWith(`${home}/`)) throw new DiskError('IO', path, 'EIO');
    return open(path, mode);
  };
  disk.writeFile = (path) => {
    throw new DiskError('IO', path, 'EIO');
  };
  const partitions = { all: () => [{ log, lastStableOffset: 10, highWatermark: 10 }] } as unknown as Partitions;
  const live = new LiveConfig(config, logger);
  await createLogCleaner({ disk, config: live, clock, random, logs, partitions, logger, startThread: null }).run();
  expect(offline).toEqual([]);
  await clock.advance(1);
  expect(offline).toEqual([`${home}/t-0 IO`]);
  expect(logs.onlinePaths()).toEqual(paths.filter((path) => path !== home));
});
