import { expect, it } from 'vitest';
import { errorName } from '../../protocol/errors.ts';
import type { EndMarker } from '../../src/coordinator/log.ts';
import type { TransactionalCommit } from '../../src/group/offsets/transactional-commit.ts';
import { MemoryCoordinatorLog } from '../support/memory-coordinator-log.ts';
import { GroupBroker } from './group-broker.ts';
import { stableGroup } from './protocol.ts';

const CALLER = { clientId: 'client', clientHost: '/127.0.0.1', apiVersion: 5 };
const PRODUCER = { producerId: 7, producerEpoch: 1 };

const request = (offset: number, more: Partial<TransactionalCommit> = {}): TransactionalCommit => ({
  transactionalId: 'id',
  groupId: 'g',
  ...PRODUCER,
  generationId: -1,
  memberId: '',
  groupInstanceId: null,
  topics: [
    {
      name: 't',
      partitions: [{ partitionIndex: 0, committedOffset: offset, committedLeaderEpoch: -1, committedMetadata: 'm' }],
    },
  ],
  ...more,
});

async function commit(broker: GroupBroker, offset: number, more: Partial<TransactionalCommit> = {}, producerId = 7) {
  const response = await broker.groups.commitTransactionalOffsets(CALLER, request(offset, more), {
    ...PRODUCER,
    producerId,
  });
  return errorName(response.topics?.[0].partitions?.[0].errorCode ?? 0);
}

const partition = (broker: GroupBroker): number => broker.groups.partitionFor('g');

async function end(broker: GroupBroker, result: 'commit' | 'abort', producerId = 7): Promise<string> {
  const marker: EndMarker = { ...PRODUCER, producerId, result, coordinatorEpoch: 0, transactionVersion: 2 };
  return errorName(await broker.groups.endTransaction(partition(broker), marker));
}

async function found(broker: GroupBroker, requireStable = false): Promise<number | string> {
  const topics = [{ name: 't', topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partitionIndexes: [0] }];
  const group = { groupId: 'g', memberId: null, memberEpoch: -1, topics };
  const response = await broker.groups.fetchOffsets(group, requireStable);
  const { errorCode = 0, committedOffset } = response.topics?.[0].partitions?.[0] ?? {};
  return errorCode === 0 ? Number(committedOffset) : errorName(errorCode);
}

it('is pending until the marker says commit or abort', async () => {
  const broker = new GroupBroker();
  expect(await commit(broker, 5)).toBe('NONE');
  expect([await found(broker), await found(broker, true)]).toEqual([-1, 'UNSTABLE_OFFSET_COMMIT']);
  expect(await end(broker, 'commit')).toBe('NONE');
  expect([await found(broker), await found(broker, true)]).toEqual([5, 5]);
  await commit(broker, 9);
  expect([await found(broker), await found(broker, true)]).toEqual([5, 'UNSTABLE_OFFSET_COMMIT']);
  await end(broker, 'abort');
  expect(await found(broker, true)).toBe(5);
});

it('belongs to its producer alone', async () => {
  const broker = new GroupBroker();
  await commit(broker, 5);
  await commit(broker, 6, {}, 8);
  await end(broker, 'abort', 7);
  expect(await found(broker, true)).toBe('UNSTABLE_OFFSET_COMMIT');
  await end(broker, 'commit', 8);
  expect(await found(broker, true)).toBe(6);
});

it('is what the log says, also where the marker is on its way or in it', async () => {
  const log = new MemoryCoordinatorLog();
  const broker = new GroupBroker({ log });
  await commit(broker, 5);
  const again = new GroupBroker({ log });
  expect(await found(again, true)).toBe('UNSTABLE_OFFSET_COMMIT');
  log.mode = 'held';
  const ending = end(again, 'commit');
  expect(await found(again)).toBe(-1);
  log.commit();
  expect(await ending).toBe('NONE');
  expect(await found(again)).toBe(5);
  expect(await found(new GroupBroker({ log }), true)).toBe(5);
});

it('comes in order with what ends it, where the log keeps both waiting', async () => {
  const log = new MemoryCoordinatorLog();
  const broker = new GroupBroker({ log });
  log.mode = 'held';
  const committing = commit(broker, 5);
  const ending = end(broker, 'commit');
  log.commit();
  expect([await committing, await ending]).toEqual(['NONE', 'NONE']);
  log.mode = 'sync';
  expect(await found(broker, true)).toBe(5);
});

it('is refused where the coordinator is not here', async () => {
  const broker = new GroupBroker({ elected: false });
  expect(await commit(broker, 5)).toBe('NOT_COORDINATOR');
  expect(await end(broker, 'commit')).toBe('NOT_COORDINATOR');
});

it('is for members in their generation, or for those who do not say who they are', async () => {
  const broker = new GroupBroker();
  expect(await commit(broker, 1, { generationId: 3, memberId: 'm' })).toBe('ILLEGAL_GENERATION');
  const { memberId, generationId } = await stableGroup(broker, 'g');
  expect(await commit(broker, 2, { generationId, memberId })).toBe('NONE');
  expect(await commit(broker, 2, { generationId: generationId + 1, memberId })).toBe('ILLEGAL_GENERATION');
  expect(await commit(broker, 2, { generationId, memberId: 'stranger' })).toBe('UNKNOWN_MEMBER_ID');
  expect(await commit(broker, 2, { generationId, memberId, groupInstanceId: 'i' })).toBe('UNKNOWN_MEMBER_ID');
  expect(await commit(broker, 2)).toBe('NONE');
});
