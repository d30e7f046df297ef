/** Where threads cannot be had, logs are checked as they are opened, and nothing is lost. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LogDirectories } from '../../src/node/log-directories.ts';
import { DEFAULT_LOG_CONFIG, type Log, NodeDisk } from '../../storage/index.ts';
import { brokerConfig } from '../config/samples.ts';
import { batch } from '../storage/batches.ts';
import { CollectingLogger } from '../support/loggers.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const TOPIC_ID = 'abcdefghijklmnopqrstuv';
/** Together more than what is checked without threads. */
const BATCHES = 66;
const BATCH_BYTES = 1_048_576;

let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'odradek-check-files-'));
});
afterEach(() => rmSync(path, { recursive: true }));

function openDirectories(logger: CollectingLogger, checkFiles: () => Promise<never>): LogDirectories {
  const [clock, random, config] = [new VirtualClock(), new SeededRandom(1), brokerConfig()];
  return new LogDirectories({
    disk: new NodeDisk(),
    paths: [path],
    clock,
    random,
    logger,
    config: () => config,
    checkFiles,
  });
}

const openLog = (logs: LogDirectories): Log =>
  logs.openOrCreate('t', 0, TOPIC_ID, DEFAULT_LOG_CONFIG as never, null) as Log;

test('a check in advance that fails is told, and made up for when the log is opened', async () => {
  let asked = 0;
  const noThreads = (): Promise<never> => {
    asked++;
    return Promise.reject(new Error('no thread can be started'));
  };
  mkdirSync(join(path, 't-0'));
  const record = batch(1, { valueBytes: BATCH_BYTES });
  const records = Array.from({ length: BATCHES }, (_, i) => {
    const copy = Buffer.from(record);
    copy.writeBigInt64BE(BigInt(i), 0);
    return copy;
  });
  records[BATCHES - 1][record.length - 8] ^= 1;
  writeFileSync(join(path, 't-0', '00000000000000000000.log'), Buffer.concat(records));

  const logger = new CollectingLogger();
  const logs = openDirectories(logger, noThreads);
  await logs.checkFiles();
  expect(asked).toBe(1);
  expect(logger.of('warn')).toEqual(['files could not be checked in advance: each log is checked when it is opened']);
  expect(openLog(logs).logEndOffset).toBe(BATCHES - 1);
  logs.abandon();
});
