import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { apis } from '../../protocol/messages/index.ts';
import { encodeBatch } from '../../protocol/records/encode.ts';
import { Odradek } from '../../src/index.ts';
import { LOG_START_CHECKPOINT, RECOVERY_POINT_CHECKPOINT } from '../../storage/checkpoints.ts';
import { WireClient } from '../support/wire-client.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'odradek-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

it('writes where logs begin as often as log.flush.start.offset.checkpoint.interval.ms says', async () => {
  const config = {
    'log.flush.start.offset.checkpoint.interval.ms': '20',
    'log.flush.offset.checkpoint.interval.ms': '60000',
  };
  await using broker = await Odradek.start({ dataDir: dir, config, topics: ['t'] });
  const client = await WireClient.connect(broker.bootstrapServers);
  const records = encodeBatch([
    { value: Buffer.from('a'), timestamp: 1 },
    { value: Buffer.from('b'), timestamp: 1 },
  ]);
  const topicData = [{ name: 't', partitionData: [{ index: 0, records }] }];
  await client.request(apis[0], 9, { acks: -1, timeoutMs: 1000, topicData });
  await client.request(apis[21], 2, {
    topics: [{ name: 't', partitions: [{ partitionIndex: 0, offset: 1 }] }],
    timeoutMs: 1000,
  });
  const read = (file: string) => readFileSync(join(dir, file), 'utf8');
  await vi.waitFor(() => expect(read(LOG_START_CHECKPOINT)).toContain('t 0 1'), { timeout: 4000 });
  expect(() => read(RECOVERY_POINT_CHECKPOINT)).toThrow('ENOENT');
  await client.close();
});
