import { describe, expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { findCoordinator } from '../../src/api/10-find-coordinator.ts';
import { GENERIC_INVALID_REQUEST } from '../../src/api/generic-messages.ts';
import { GroupBroker, topic } from './group-broker.ts';
import { pending } from './protocol.ts';

const HERE = { nodeId: 1, host: 'localhost', port: 9092, errorCode: 0 };
const NOWHERE = { nodeId: -1, host: '', port: -1 };

describe.each([0, 1, 2, 3])('FindCoordinator %i', (version) => {
  it('answers the first request when the coordinator serves', async () => {
    const broker = new GroupBroker({ elected: false });
    const errorMessage = version >= 1 ? 'NONE' : '';
    expect(await broker.call(findCoordinator, version, { key: 'g' })).toMatchObject({ ...HERE, errorMessage });
    expect(broker.ensured).toEqual(['__consumer_offsets']);
    await broker.call(findCoordinator, version, { key: 'g' });
    expect(broker.ensured).toHaveLength(1);
  });
});

describe.each([4, 5, 6])('FindCoordinator %i', (version) => {
  it('answers many keys', async () => {
    const broker = new GroupBroker({ elected: false });
    const answer = await broker.call(findCoordinator, version, { coordinatorKeys: ['a', 'b', ''] });
    const errorMessage = '';
    expect(answer.coordinators).toEqual(['a', 'b', ''].map((key) => ({ key, ...HERE, errorMessage })));
    expect((await broker.call(findCoordinator, version, { coordinatorKeys: [] })).coordinators).toEqual([]);
  });

  it.each([
    [1, ErrorCode.UNSUPPORTED_VERSION, 'This broker does not coordinate transactions.'],
    [9, ErrorCode.INVALID_REQUEST, GENERIC_INVALID_REQUEST],
  ])('says why it has no coordinator of type %i', async (keyType, errorCode, errorMessage) => {
    const broker = new GroupBroker();
    const answer = await broker.call(findCoordinator, version, { keyType, coordinatorKeys: ['a'] });
    expect(answer.coordinators).toEqual([{ key: 'a', ...NOWHERE, errorCode, errorMessage }]);
    expect(await broker.call(findCoordinator, 3, { keyType, key: 'a' })).toMatchObject({ errorCode, errorMessage });
  });
});

it('waits for a coordinator that is being loaded, but not for ever', async () => {
  const broker = new GroupBroker({ elected: false });
  broker.topics.set('__consumer_offsets', topic('__consumer_offsets', broker.partitionCount));
  const found = pending(broker.call(findCoordinator, 4, { coordinatorKeys: ['g'] }));
  await broker.clock.advance(4000);
  expect(found.answer).toBeNull();
  broker.elect();
  await broker.clock.advance(0);
  expect(found.answer?.coordinators[0]).toMatchObject(HERE);

  broker.groups.onResigned(broker.groups.partitionFor('g'));
  const sought = pending(broker.call(findCoordinator, 4, { coordinatorKeys: ['g'] }));
  await broker.clock.advance(5000);
  expect(sought.answer?.coordinators[0]).toMatchObject({ ...NOWHERE, errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE });
});

it('does not name a broker that is not alive', async () => {
  const broker = new GroupBroker({ elected: false });
  const partitions = new Array(broker.partitionCount).fill({ leader: 2, leaderEpoch: 0 });
  broker.topics.set('__consumer_offsets', { ...topic('__consumer_offsets', 1), partitions });
  const answer = await broker.call(findCoordinator, 1, { key: 'g' });
  expect(answer).toMatchObject({ errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, ...NOWHERE });
});
