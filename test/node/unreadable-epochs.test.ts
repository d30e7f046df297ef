import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts';
import { encodeBatch } from '../../protocol/records/encode.ts';
import { Odradek } from '../../src/index.ts';
import { CollectingLogger } from '../support/loggers.ts';
import { WireClient } from '../support/wire-client.ts';

const Produce = { request: ProduceRequest, response: ProduceResponse };

async function produce(client: WireClient, name: string): Promise<number> {
  const records = encodeBatch([{ value: Buffer.from('v'), timestamp: Date.now() }]);
  const topicData = [{ name, partitionData: [{ index: 0, records }] }];
  const { responses } = await client.request(Produce, 9, { acks: -1, timeoutMs: 1000, topicData });
  return responses[0].partitionResponses[0].errorCode;
}

it('a partition whose leader epochs the disk does not give is offline, and the others serve', async () => {
  const path = mkdtempSync(join(tmpdir(), 'odradek-epochs-'));
  const start = (logger: CollectingLogger) => Odradek.start({ config: { 'log.dirs': path }, logger });
  const first = await start(new CollectingLogger());
  await first.createTopics(['lost', 'kept'].map((name) => ({ name, partitions: 1 })));
  await first.stop();
  const file = join(path, 'lost-0', 'leader-epoch-checkpoint');
  rmSync(file, { force: true });
  mkdirSync(file);

  const logger = new CollectingLogger();
  const second = await start(logger);
  const client = await WireClient.connect(second.bootstrapServers);
  try {
    expect([await produce(client, 'lost'), await produce(client, 'kept')]).toEqual([
      ErrorCode.KAFKA_STORAGE_ERROR,
      ErrorCode.NONE,
    ]);
    expect(logger.of('error')).toEqual([expect.stringMatching(/^the partition is offline: .*leader-epoch-checkpoint/)]);
  } finally {
    await client.close();
    await second.stop();
    rmSync(path, { recursive: true, force: true });
  }
});
