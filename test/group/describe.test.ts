import { describe, expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { describeGroups } from '../../src/api/15-describe-groups.ts';
import { listGroups } from '../../src/api/16-list-groups.ts';
import { GroupBroker } from './group-broker.ts';
import { committed, joined, pending, protocols, stableGroup, startJoin } from './protocol.ts';

/** One group in each state, named after it. */
async function groupsInAllStates(): Promise<GroupBroker> {
  const broker = new GroupBroker();
  await committed(broker, 'Empty', 1);
  await joined(broker, 'CompletingRebalance');
  await stableGroup(broker, 'Stable', { protocolType: 'connect' });
  await stableGroup(broker, 'PreparingRebalance');
  pending(startJoin(broker, 'PreparingRebalance'));
  await broker.clock.advance(1);
  return broker;
}

describe.each([0, 1, 2, 3, 4, 5, 6])('DescribeGroups %i', (version) => {
  it('knows every state', async () => {
    const broker = await groupsInAllStates();
    const groups = ['Empty', 'CompletingRebalance', 'Stable', 'PreparingRebalance', 'Dead'];
    const answer = await broker.call(describeGroups, version, { groups });
    expect(answer.groups.map((g) => [g.groupState, g.protocolType, g.protocolData, g.members.length])).toEqual([
      ['Empty', '', '', 0],
      ['CompletingRebalance', 'consumer', '', 1],
      ['Stable', 'connect', 'range', 1],
      ['PreparingRebalance', 'consumer', '', 2],
      ['Dead', '', '', 0],
    ]);
    const dead = answer.groups[4];
    if (version < 6) expect(dead.errorCode).toBe(0);
    else expect(dead).toMatchObject({ errorCode: ErrorCode.GROUP_ID_NOT_FOUND, errorMessage: 'Group Dead not found.' });
  });

  it('shows who the members are, and in a stable group what they have', async () => {
    const broker = await groupsInAllStates();
    const answer = await broker.call(describeGroups, version, { groups: ['Stable', 'CompletingRebalance'] });
    const who = { clientId: 'client', clientHost: '/127.0.0.1', groupInstanceId: null };
    expect(answer.groups[0].members[0]).toMatchObject({
      ...who,
      memberMetadata: protocols('range')[0].metadata,
      memberAssignment: Buffer.from('of Stable'),
    });
    expect(answer.groups[1].members[0]).toMatchObject({ ...who, memberMetadata: Buffer.alloc(0) });
  });

  if (version < 3) return;
  it('tells what the client may do, if it asks', async () => {
    const broker = await groupsInAllStates();
    const ask = async (includeAuthorizedOperations: boolean) =>
      (
        await broker.call(describeGroups, version, { groups: ['Stable', 'Dead'], includeAuthorizedOperations })
      ).groups.map((g) => g.authorizedOperations);
    expect(await ask(false)).toEqual([-2147483648, -2147483648]);
    // READ, DELETE, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS
    expect(await ask(true)).toEqual([3400, version >= 6 ? -2147483648 : 3400]);
  });
});

describe('ListGroups', () => {
  it.each([0, 1, 2, 3, 4, 5])('%i lists groups with what the version has', async (version) => {
    const broker = await groupsInAllStates();
    const { errorCode, groups } = await broker.call(listGroups, version, {});
    expect(errorCode).toBe(0);
    const stable = groups.find((g) => g.groupId === 'Stable');
    expect(groups).toHaveLength(4);
    expect(stable).toEqual({
      groupId: 'Stable',
      protocolType: 'connect',
      groupState: version >= 4 ? 'Stable' : '',
      groupType: version >= 5 ? 'classic' : '',
    });
  });

  it.each([
    [{ statesFilter: ['stable', ' EMPTY '] }, ['Empty', 'Stable']],
    [{ statesFilter: ['Dead'] }, []],
    [{ statesFilter: ['nonsense'] }, []],
    [{ typesFilter: ['CLASSIC'] }, ['CompletingRebalance', 'Empty', 'PreparingRebalance', 'Stable']],
    [{ typesFilter: ['consumer', 'nonsense'] }, []],
    [{ typesFilter: ['classic'], statesFilter: ['Stable'] }, ['Stable']],
  ])('filters by %j', async (filters, expected) => {
    const broker = await groupsInAllStates();
    const { groups } = await broker.call(listGroups, 5, filters);
    expect(groups.map((g) => g.groupId).sort()).toEqual(expected);
  });

  it('waits for nobody: while a partition is loaded the list is not known', async () => {
    const broker = new GroupBroker();
    const reading = new Promise<void>(() => undefined);
    broker.log.read = () => reading;
    broker.groups.onElected(0, 1);
    expect(await broker.call(listGroups, 5, {})).toMatchObject({
      errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
      groups: [],
    });
  });
});
