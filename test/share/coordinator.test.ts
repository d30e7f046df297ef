import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { decodeRecord } from '../../src/share/coordinator/records.ts';
import { ShareCoordinator } from '../../src/share/coordinator/share-coordinator.ts';
import { brokerConfig } from '../config/samples.ts';
import { CollectingLogger } from '../support/loggers.ts';
import { MemoryCoordinatorLog } from '../support/memory-coordinator-log.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const TOPIC = 'topictopictopictopictA';
const OTHER = 'otherotherotherotheroA';
const at = { topicId: TOPIC, partition: 0 };
const MINUTE_MS = 60_000;

function coordinators(properties: Record<string, string> = {}) {
  const clock = new VirtualClock();
  const log = new MemoryCoordinatorLog();
  const pruned: [partition: number, belowOffset: number][] = [];
  const topics = new Map([
    [TOPIC, 3],
    [OTHER, 1],
  ]);
  const config = brokerConfig(properties);
  const start = () => {
    const coordinator = new ShareCoordinator({
      log,
      clock,
      logger: new CollectingLogger(),
      config: () => config,
      partitionCount: () => 1,
      partitionCountOf: (topicId) => topics.get(topicId) ?? null,
      prune: (partition, belowOffset) => pruned.push([partition, belowOffset]),
    });
    coordinator.onElected(0, 0);
    return coordinator;
  };
  const records = () => log.records(0).map(({ key, value }) => decodeRecord(key as Buffer, value));
  return { clock, log, pruned, topics, start, records };
}

const write = (startOffset: number, deliveryState = 2) => ({
  ...at,
  stateEpoch: 1,
  leaderEpoch: 0,
  startOffset,
  deliveryCompleteCount: 1,
  stateBatches: [{ firstOffset: startOffset + 1, lastOffset: startOffset + 1, deliveryState, deliveryCount: 1 }],
});

describe('the share coordinator', () => {
  it('writes a snapshot, then updates, then a snapshot again', async () => {
    const { start, records } = coordinators({ 'share.coordinator.snapshot.update.records.per.snapshot': '2' });
    const coordinator = start();
    await coordinator.initialize('g', [{ ...at, stateEpoch: 1, startOffset: 0 }]);
    for (let i = 0; i < 4; i++) await coordinator.write('g', [write(i)]);
    expect(records().map((record) => [record?.type, record?.value?.snapshotEpoch])).toEqual([
      ['snapshot', 0],
      ['update', 0],
      ['update', 0],
      ['snapshot', 1],
      ['update', 1],
    ]);
    const [{ startOffset, stateBatches }] = await coordinator.read('g', [{ ...at, leaderEpoch: -1 }]);
    expect(startOffset).toBe(3);
    expect(stateBatches).toEqual([{ firstOffset: 3, lastOffset: 4, deliveryState: 2, deliveryCount: 1 }]);
  });

  it('comes to the same state by replay', async () => {
    const step = fc.record({
      kind: fc.constantFrom('initialize', 'write', 'write', 'write', 'read', 'delete'),
      startOffset: fc.integer({ min: -1, max: 20 }),
      epoch: fc.nat(3),
      partition: fc.nat(2),
      state: fc.constantFrom(0, 2, 4),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { start } = coordinators({ 'share.coordinator.snapshot.update.records.per.snapshot': '3' });
        const coordinator = start();
        for (const { kind, startOffset, epoch, partition, state } of steps) {
          const id = { topicId: TOPIC, partition };
          if (kind === 'initialize') await coordinator.initialize('g', [{ ...id, stateEpoch: epoch, startOffset }]);
          else if (kind === 'write')
            await coordinator.write('g', [{ ...write(startOffset, state), ...id, leaderEpoch: epoch }]);
          else if (kind === 'read') await coordinator.read('g', [{ ...id, leaderEpoch: epoch }]);
          else await coordinator.delete('g', [id]);
        }
        const state = (of: ShareCoordinator) =>
          Promise.all(
            [0, 1, 2].map(async (partition) => {
              const id = { topicId: TOPIC, partition, leaderEpoch: -1 };
              return [await of.read('g', [id]), await of.readSummary('g', [id])];
            }),
          );
        expect(await state(start())).toEqual(await state(coordinator));
      }),
      { numRuns: 50 },
    );
  });

  it('prunes its topic below the oldest snapshot that is needed', async () => {
    const { clock, pruned, start } = coordinators({
      'share.coordinator.snapshot.update.records.per.snapshot': '0',
      'share.coordinator.cold.partition.snapshot.interval.ms': String(60 * MINUTE_MS),
    });
    const coordinator = start();
    await coordinator.initialize('g', [{ ...at, stateEpoch: 1, startOffset: 0 }]);
    await coordinator.initialize('h', [{ ...at, stateEpoch: 1, startOffset: 0 }]);
    await coordinator.write('g', [write(1)]);
    await clock.advance(5 * MINUTE_MS);
    expect(pruned).toEqual([[0, 1]]);
    await coordinator.write('h', [write(1)]);
    await clock.advance(5 * MINUTE_MS);
    expect(pruned.at(-1)).toEqual([0, 2]);
    coordinator.close();
  });

  it('writes snapshots for what does not change, so that pruning goes on, and only once', async () => {
    const { clock, records, pruned, start } = coordinators();
    const coordinator = start();
    await coordinator.initialize('g', [{ ...at, stateEpoch: 1, startOffset: 7 }]);
    await coordinator.write('g', [write(8)]);
    await clock.advance(10 * MINUTE_MS);
    expect(records().map((record) => record?.type)).toEqual(['snapshot', 'update', 'snapshot']);
    expect(records()[2]?.value).toMatchObject({ snapshotEpoch: 1, startOffset: 8 });
    expect(pruned).toEqual([[0, 2]]);
    await clock.advance(60 * MINUTE_MS);
    expect(records()).toHaveLength(3);
    coordinator.close();
  });

  it('forgets the share partitions of a deleted topic', async () => {
    const { start, records } = coordinators();
    const coordinator = start();
    await coordinator.initialize('g', [{ ...at, stateEpoch: 1, startOffset: 0 }]);
    await coordinator.initialize('g', [{ topicId: OTHER, partition: 0, stateEpoch: 1, startOffset: 0 }]);
    await coordinator.onTopicsDeleted([{ id: TOPIC }]);
    expect(records().at(-1)).toEqual({ type: 'snapshot', key: { groupId: 'g', ...at }, value: null });
    expect(await coordinator.read('g', [{ ...at, leaderEpoch: 0 }])).toMatchObject([
      { errorCode: ErrorCode.INVALID_REQUEST },
    ]);
    expect(await coordinator.read('g', [{ topicId: OTHER, partition: 0, leaderEpoch: 0 }])).toMatchObject([
      { errorCode: 0 },
    ]);
  });

  it('says where it is not to be found, and that its log fails', async () => {
    const { start, log } = coordinators();
    const coordinator = start();
    await coordinator.initialize('g', [{ ...at, stateEpoch: 1, startOffset: 0 }]);
    log.refuse = new KafkaError('NOT_ENOUGH_REPLICAS');
    expect(await coordinator.write('g', [write(1)])).toMatchObject([
      { errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE },
    ]);
    coordinator.onResigned(0);
    expect(await coordinator.write('g', [write(1)])).toEqual([
      {
        ...at,
        errorCode: ErrorCode.NOT_COORDINATOR,
        errorMessage: 'Unable to write share group state: This is not the correct coordinator.',
      },
    ]);
  });
});
