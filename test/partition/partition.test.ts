import { expect, it } from 'vitest';
import { Partition } from '../../src/partition/partition.ts';
import { MemoryDisk } from '../../storage/index.ts';
import { brokerConfig } from '../config/samples.ts';
import { marker, openLog, produced, TOPIC_ID } from '../storage/batches.ts';

it('has everything stable that ended before a kill', () => {
  const disk = new MemoryDisk();
  const log = openLog(disk);
  log.appendAsLeader(produced(8, 0, { transactional: true }), 0);
  log.appendAsLeader(marker(8, false), 0, 'coordinator');
  log.abandon();
  const state = { leader: 1, leaderEpoch: 0, replicas: [1], isr: [1], directories: [] };
  const of = { topic: 't', topicId: TOPIC_ID, index: 0, config: brokerConfig().topic(), state };
  const partition = new Partition({ ...of, log: openLog(disk) });
  expect(partition.lastStableOffset).toBe(2);
});
