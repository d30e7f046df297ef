import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { offsetCommit } from '../../src/api/08-offset-commit.ts';
import { offsetFetch } from '../../src/api/09-offset-fetch.ts';
import { findCoordinator } from '../../src/api/10-find-coordinator.ts';
import { joinGroup } from '../../src/api/11-join-group.ts';
import { heartbeat } from '../../src/api/12-heartbeat.ts';
import { leaveGroup } from '../../src/api/13-leave-group.ts';
import { syncGroup } from '../../src/api/14-sync-group.ts';
import { describeGroups } from '../../src/api/15-describe-groups.ts';
import { listGroups } from '../../src/api/16-list-groups.ts';
import { createTopics } from '../../src/api/19-create-topics.ts';
import { deleteGroups } from '../../src/api/42-delete-groups.ts';
import { offsetDelete } from '../../src/api/47-offset-delete.ts';
import { shareGroupHeartbeat } from '../../src/api/76-share-group-heartbeat.ts';
import { shareGroupDescribe } from '../../src/api/77-share-group-describe.ts';
import { describeShareGroupOffsets } from '../../src/api/90-describe-share-group-offsets.ts';
import { alterShareGroupOffsets } from '../../src/api/91-alter-share-group-offsets.ts';
import { deleteShareGroupOffsets } from '../../src/api/92-delete-share-group-offsets.ts';
import { WireClient } from '../../test/support/wire-client.ts';
import { describeBrokers } from '../describe-brokers.ts';
import { eventually, uniqueName } from '../helpers.ts';
import { notYetServed } from '../not-yet.ts';

const HEARTBEAT_KEY = 76;
const NO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA';
const GROUP = 0;
const READ_DELETE_DESCRIBE_AND_CONFIGS = 3400;
const NOT_ASKED = -2147483648;
const UNKNOWN_TOPIC = {
  errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  errorMessage: 'This server does not host this topic-partition.',
};

describeBrokers('share groups', (broker) => {
  if (broker.name === 'odradek' && notYetServed.has(HEARTBEAT_KEY)) return it.skip('not served yet', () => {});
  let client: WireClient;
  const topic = uniqueName('shared');
  let topicId: string;

  beforeAll(async () => {
    client = await WireClient.connect(broker.bootstrapServers);
    const wanted = { name: topic, numPartitions: 4, replicationFactor: 1, assignments: [], configs: [] };
    const created = await client.request(createTopics, 7, { topics: [wanted], timeoutMs: 10_000, validateOnly: false });
    topicId = created.topics[0].topicId;
    await coordinatorOf('any');
  });
  afterAll(() => client.close());

  const coordinatorOf = (groupId: string) =>
    eventually(async () => {
      const found = await client.request(findCoordinator, 6, { keyType: GROUP, coordinatorKeys: [groupId] });
      return found.coordinators[0].errorCode === 0;
    });

  type Beat = { groupId: string; memberId: string; memberEpoch: number; subscribedTopicNames?: string[] | null };
  const beat = (request: Beat) => client.request(shareGroupHeartbeat, 1, request);
  const join = (groupId: string, memberId: string, topics = [topic]) =>
    beat({ groupId, memberId, memberEpoch: 0, subscribedTopicNames: topics });
  const leave = (groupId: string, memberId: string) => beat({ groupId, memberId, memberEpoch: -1 });
  const describeOne = async (groupId: string) => {
    const asked = { groupIds: [groupId], includeAuthorizedOperations: false };
    return (await client.request(shareGroupDescribe, 1, asked)).groups[0];
  };

  /** Lets members that have joined heartbeat until together they have all partitions; gives what each has. */
  async function settled(groupId: string, memberIds: string[], count = 4): Promise<number[][]> {
    const epochs = new Map(memberIds.map((memberId) => [memberId, 0]));
    return eventually(async () => {
      const all: number[][] = [];
      for (const [memberId, memberEpoch] of epochs) {
        const told = await beat({ groupId, memberId, memberEpoch, subscribedTopicNames: [topic] });
        expect(told).toMatchObject({ errorCode: 0, errorMessage: null });
        epochs.set(memberId, told.memberEpoch);
        all.push((told.assignment?.topicPartitions ?? []).flatMap((t) => t.partitions));
      }
      const isSame = new Set(epochs.values()).size === 1;
      return isSame && all.flat().length === count && all.every((a) => a.length > 0) ? all : undefined;
    });
  }

  describe('a heartbeat that is refused', () => {
    const groupId = uniqueName('refused');
    const invalid = (errorMessage: string | null) => ({ errorCode: ErrorCode.INVALID_REQUEST, errorMessage });
    const cases: [string, Partial<Beat> & { rackId?: string }, object][] = [
      ['no member id', { memberId: '' }, invalid(null)],
      ['a long member id', { memberId: 'm'.repeat(37) }, invalid(null)],
      ['no group id', { groupId: '' }, invalid("GroupId can't be empty.")],
      ['an empty rack', { rackId: '' }, invalid("RackId can't be empty.")],
      ['no topics', { subscribedTopicNames: [] }, invalid('SubscribedTopicNames must be set in first request.')],
      ['null topics', { subscribedTopicNames: null }, invalid('SubscribedTopicNames must be set in first request.')],
      ['an impossible epoch', { memberEpoch: -2 }, invalid('MemberEpoch is invalid.')],
      [
        'an epoch without a group',
        { memberEpoch: 1 },
        { errorCode: ErrorCode.GROUP_ID_NOT_FOUND, errorMessage: `Share group ${groupId} not found.` },
      ],
      [
        'a leave without a group',
        { memberEpoch: -1 },
        { errorCode: ErrorCode.GROUP_ID_NOT_FOUND, errorMessage: `Group ${groupId} not found.` },
      ],
    ];
    it.each(cases)('%s', async (_, change, refusal) => {
      const request = { groupId, memberId: 'm', memberEpoch: 0, subscribedTopicNames: ['t'], ...change };
      expect(await beat(request)).toMatchObject({ memberId: null, memberEpoch: 0, assignment: null, ...refusal });
    });

    it('of members that are not there or in another epoch', async () => {
      const group = uniqueName('fenced');
      const { memberEpoch } = await join(group, 'a');
      const known = `than the one known by the group coordinator (${memberEpoch})`;
      const rejoin = 'The member must abandon all its partitions and rejoin.';
      expect(await beat({ groupId: group, memberId: 'b', memberEpoch })).toMatchObject({
        errorCode: ErrorCode.UNKNOWN_MEMBER_ID,
        errorMessage: `Member b is not a member of group ${group}.`,
      });
      expect(await leave(group, 'b')).toMatchObject({
        errorCode: ErrorCode.UNKNOWN_MEMBER_ID,
        errorMessage: `Member b is not a member of group ${group}.`,
      });
      expect(await beat({ groupId: group, memberId: 'a', memberEpoch: 9 })).toMatchObject({
        errorCode: ErrorCode.FENCED_MEMBER_EPOCH,
        errorMessage: `The share group member has a greater member epoch (9) ${known}. ${rejoin}`,
      });
      await settled(group, ['a']);
      const now = (await describeOne(group)).members[0].memberEpoch;
      expect(await beat({ groupId: group, memberId: 'a', memberEpoch: memberEpoch - 1 })).toMatchObject({
        errorCode: ErrorCode.FENCED_MEMBER_EPOCH,
        errorMessage:
          `The share group member has a smaller member epoch (${memberEpoch - 1}) than the one known by the group ` +
          `coordinator (${now}), and it does not match the previous member epoch (${now - 1}). ${rejoin}`,
      });
      expect(await beat({ groupId: group, memberId: 'a', memberEpoch: now - 1 })).toMatchObject({ errorCode: 0 });
      await leave(group, 'a');
    });

    it('of a share member in a group of another kind', async () => {
      const group = uniqueName('classic');
      await client.request(offsetCommit, 8, commit(group));
      expect(await join(group, 'a')).toMatchObject({
        errorCode: ErrorCode.GROUP_ID_NOT_FOUND,
        errorMessage: `Group ${group} is not a share group.`,
      });
      expect(await describeOne(group)).toMatchObject({
        errorCode: ErrorCode.GROUP_ID_NOT_FOUND,
        errorMessage: `Group ${group} is not a share group.`,
      });
    });
  });

  const commit = (groupId: string) => ({
    groupId,
    generationIdOrMemberEpoch: -1,
    memberId: '',
    groupInstanceId: null,
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: null }] }],
  });

  it('gives partitions to members as they come and go', async () => {
    const groupId = uniqueName('life');
    const first = await join(groupId, 'a');
    expect(first).toEqual({
      throttleTimeMs: 0,
      errorCode: 0,
      errorMessage: null,
      memberId: 'a',
      memberEpoch: 2,
      heartbeatIntervalMs: 5000,
      assignment: { topicPartitions: [] },
    });
    expect(await settled(groupId, ['a'])).toEqual([[0, 1, 2, 3]]);
    const quiet = await beat({ groupId, memberId: 'a', memberEpoch: (await describeOne(groupId)).groupEpoch });
    expect(quiet.assignment).toBeNull();

    await join(groupId, 'b');
    const [a, b] = await settled(groupId, ['a', 'b']);
    expect([a.length, b.length, [...a, ...b].sort()]).toEqual([2, 2, [0, 1, 2, 3]]);

    const group = await describeOne(groupId);
    expect(group).toMatchObject({
      errorCode: 0,
      errorMessage: null,
      groupId,
      groupState: 'Stable',
      assignorName: 'simple',
      authorizedOperations: NOT_ASKED,
    });
    expect(group.assignmentEpoch).toBe(group.groupEpoch);
    expect([...group.members].sort((x, y) => (x.memberId < y.memberId ? -1 : 1))[0]).toEqual({
      memberId: 'a',
      rackId: null,
      memberEpoch: group.groupEpoch,
      clientId: 'test',
      clientHost: '/127.0.0.1',
      subscribedTopicNames: [topic],
      assignment: { topicPartitions: [{ topicId, topicName: topic, partitions: expect.arrayContaining(a) }] },
    });

    expect(await leave(groupId, 'b')).toMatchObject({ errorCode: 0, memberId: 'b', memberEpoch: -1, assignment: null });
    expect((await settled(groupId, ['a']))[0].sort()).toEqual([0, 1, 2, 3]);
    await leave(groupId, 'a');
    expect(await describeOne(groupId)).toMatchObject({ groupState: 'Empty', members: [] });
  });

  it('lets members share partitions where there are more of them', async () => {
    const groupId = uniqueName('crowd');
    const members = ['a', 'b', 'c', 'd', 'e', 'f'];
    for (const memberId of members) await join(groupId, memberId);
    // two members a partition: 8 places over 6 members
    const all = await settled(groupId, members, 8);
    expect(all.map((a) => a.length).sort()).toEqual([1, 1, 1, 1, 2, 2]);
    const holders = [0, 1, 2, 3].map((p) => all.filter((a) => a.includes(p)).length);
    expect(holders).toEqual([2, 2, 2, 2]);
    for (const memberId of members) await leave(groupId, memberId);
  });

  it('gives members what they subscribe to', async () => {
    const groupId = uniqueName('mixed');
    const other = uniqueName('other');
    await join(groupId, 'a');
    await settled(groupId, ['a']);
    const joined = await join(groupId, 'b', [other]);
    expect(joined).toMatchObject({ errorCode: 0, assignment: { topicPartitions: [] } });
    expect((await settled(groupId, ['a']))[0].sort()).toEqual([0, 1, 2, 3]);
    const changed = await beat({
      groupId,
      memberId: 'a',
      memberEpoch: (await describeOne(groupId)).members.find((m) => m.memberId === 'a')?.memberEpoch ?? 0,
      subscribedTopicNames: [other],
    });
    expect(changed.assignment).toEqual({ topicPartitions: [] });
    for (const memberId of ['a', 'b']) await leave(groupId, memberId);
  });

  it('is described with its operations, and not found with words', async () => {
    const groupId = uniqueName('described');
    await join(groupId, 'a');
    const asked = { groupIds: [groupId, '', 'nobody'], includeAuthorizedOperations: true };
    const { groups } = await client.request(shareGroupDescribe, 1, asked);
    const byId = new Map(groups.map((g) => [g.groupId, g]));
    expect(byId.get(groupId)).toMatchObject({ errorCode: 0, authorizedOperations: READ_DELETE_DESCRIBE_AND_CONFIGS });
    expect(byId.get('')).toMatchObject({ errorCode: ErrorCode.INVALID_GROUP_ID, errorMessage: null });
    expect(byId.get('nobody')).toMatchObject({
      errorCode: ErrorCode.GROUP_ID_NOT_FOUND,
      errorMessage: 'Group nobody not found.',
      groupState: '',
      authorizedOperations: NOT_ASKED,
    });
    await leave(groupId, 'a');
  });

  it('is listed as what it is', async () => {
    const groupId = uniqueName('listed');
    await join(groupId, 'a');
    const list = async (statesFilter: string[], typesFilter: string[]) => {
      const { groups } = await client.request(listGroups, 5, { statesFilter, typesFilter });
      return groups.find((g) => g.groupId === groupId);
    };
    const stable = { groupId, protocolType: 'share', groupState: 'Stable', groupType: 'share' };
    expect(await list([], [])).toEqual(stable);
    expect(await list(['Stable'], ['Share'])).toEqual(stable);
    expect(await list(['empty'], ['share'])).toBeUndefined();
    expect(await list([], ['classic', 'consumer'])).toBeUndefined();
    await leave(groupId, 'a');
    expect(await list(['empty'], ['share'])).toEqual({ ...stable, groupState: 'Empty' });
  });

  it('is none of the classic protocol', async () => {
    const groupId = uniqueName('notclassic');
    await join(groupId, 'a');
    const member = { groupId, memberId: 'a', generationId: 2, groupInstanceId: null };
    const join11 = { ...member, sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000, protocolType: 'consumer' };
    const protocols = [{ name: 'range', metadata: Buffer.alloc(0) }];
    const answers = {
      join: (await client.request(joinGroup, 9, { ...join11, protocols })).errorCode,
      sync: (await client.request(syncGroup, 4, { ...member, assignments: [] })).errorCode,
      heartbeat: (await client.request(heartbeat, 4, member)).errorCode,
      leave: (await client.request(leaveGroup, 5, { groupId, members: [{ memberId: 'a', groupInstanceId: null }] }))
        .members[0].errorCode,
      commit: (await client.request(offsetCommit, 8, commit(groupId))).topics[0].partitions[0].errorCode,
      fetch: (await client.request(offsetFetch, 8, { groups: [{ groupId, topics: null }] })).groups[0].errorCode,
      delete: (await client.request(offsetDelete, 0, { groupId, topics: [] })).errorCode,
    };
    expect(answers).toEqual({
      join: ErrorCode.INCONSISTENT_GROUP_PROTOCOL,
      sync: ErrorCode.UNKNOWN_MEMBER_ID,
      heartbeat: ErrorCode.UNKNOWN_MEMBER_ID,
      leave: ErrorCode.UNKNOWN_MEMBER_ID,
      commit: ErrorCode.GROUP_ID_NOT_FOUND,
      fetch: 0,
      delete: ErrorCode.GROUP_ID_NOT_FOUND,
    });
    const described = await client.request(describeGroups, 6, { groups: [groupId] });
    expect(described.groups[0]).toMatchObject({
      groupState: 'Dead',
      errorCode: ErrorCode.GROUP_ID_NOT_FOUND,
      errorMessage: `Group ${groupId} is not a classic group.`,
    });
    await leave(groupId, 'a');
  });

  it('is deleted when it is empty, with its state', async () => {
    const groupId = uniqueName('deleted');
    const remove = async () => (await client.request(deleteGroups, 2, { groupsNames: [groupId] })).results[0].errorCode;
    await join(groupId, 'a');
    await settled(groupId, ['a']);
    expect(await remove()).toBe(ErrorCode.NON_EMPTY_GROUP);
    await leave(groupId, 'a');
    expect(await remove()).toBe(0);
    expect(await describeOne(groupId)).toMatchObject({ errorCode: ErrorCode.GROUP_ID_NOT_FOUND });
    expect(await remove()).toBe(ErrorCode.GROUP_ID_NOT_FOUND);
    const again = await join(groupId, 'a');
    expect(again).toMatchObject({ errorCode: 0, memberEpoch: 2 });
    await leave(groupId, 'a');
  });

  describe('its offsets', () => {
    const alter = (groupId: string, topics: object[]) =>
      client.request(alterShareGroupOffsets, 0, { groupId, topics } as never);
    const at = (topicName: string, ...offsets: [number, number][]) => ({
      topicName,
      partitions: offsets.map(([partitionIndex, startOffset]) => ({ partitionIndex, startOffset })),
    });
    const offsets = async (
      groupId: string,
      topics: { topicName: string; partitions: number[] }[] | null,
      version = 1,
    ) => (await client.request(describeShareGroupOffsets, version, { groups: [{ groupId, topics }] })).groups[0];
    const remove = (groupId: string, ...names: string[]) =>
      client.request(deleteShareGroupOffsets, 0, { groupId, topics: names.map((topicName) => ({ topicName })) });

    it('are set, told and forgotten', async () => {
      const groupId = uniqueName('offsets');
      const unknown = uniqueName('nothing');
      const altered = await alter(groupId, [at(topic, [0, 5], [1, 0], [9, 1]), at(unknown, [0, 1])]);
      expect(altered).toMatchObject({ errorCode: 0, errorMessage: null });
      const byName = new Map(altered.responses.map((r) => [r.topicName, r]));
      const fine = { errorCode: 0, errorMessage: null };
      expect(byName.get(topic)).toEqual({
        topicName: topic,
        topicId,
        partitions: [
          { partitionIndex: 0, ...fine },
          { partitionIndex: 1, ...fine },
          { partitionIndex: 9, ...UNKNOWN_TOPIC },
        ],
      });
      expect(byName.get(unknown)).toEqual({
        topicName: unknown,
        topicId: NO_UUID,
        partitions: [{ partitionIndex: 0, ...UNKNOWN_TOPIC }],
      });
      expect(await describeOne(groupId)).toMatchObject({ groupState: 'Empty', groupEpoch: 1, assignmentEpoch: 1 });

      const told = { leaderEpoch: 0, ...fine };
      const one = await offsets(groupId, [
        { topicName: topic, partitions: [0, 3] },
        { topicName: unknown, partitions: [2] },
      ]);
      expect(one).toMatchObject({ groupId, ...fine });
      expect(one.topics).toEqual([
        {
          topicName: topic,
          topicId,
          partitions: [
            { partitionIndex: 0, startOffset: 5, lag: -5, ...told },
            { partitionIndex: 3, startOffset: -1, lag: -1, ...told },
          ],
        },
        {
          topicName: unknown,
          topicId: NO_UUID,
          partitions: [{ partitionIndex: 2, startOffset: -1, lag: -1, ...told }],
        },
      ]);
      const all = await eventually(async () => {
        const group = await offsets(groupId, null);
        return group.topics.length > 0 ? group : undefined;
      });
      expect(all.topics[0].partitions.map((p) => [p.partitionIndex, p.startOffset]).sort()).toEqual([
        [0, 5],
        [1, 0],
      ]);
      expect((await offsets(groupId, null, 0)).topics[0].partitions[0].lag).toBe(-1);
      expect(await offsets(groupId, [])).toMatchObject({ ...fine, topics: [] });

      const removed = await remove(groupId, topic, unknown);
      expect(removed).toMatchObject(fine);
      expect(removed.responses).toEqual([
        { topicName: topic, topicId, ...fine },
        { topicName: unknown, topicId: NO_UUID, ...UNKNOWN_TOPIC },
      ]);
      expect(await remove(groupId, topic)).toMatchObject({
        ...fine,
        responses: [
          {
            topicName: topic,
            topicId: NO_UUID,
            errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
            errorMessage: 'There is no offset information to delete.',
          },
        ],
      });
      expect((await offsets(groupId, null)).topics).toEqual([]);
    });

    it('stay where the group has members', async () => {
      const groupId = uniqueName('busy');
      await join(groupId, 'a');
      const notEmpty = { errorCode: ErrorCode.NON_EMPTY_GROUP, errorMessage: 'The group is not empty.', responses: [] };
      expect(await alter(groupId, [at(topic, [0, 5])])).toMatchObject(notEmpty);
      expect(await remove(groupId, topic)).toMatchObject(notEmpty);
      await leave(groupId, 'a');
    });

    it('are those of share groups only', async () => {
      const invalid = {
        errorCode: ErrorCode.INVALID_GROUP_ID,
        errorMessage: 'The group id is invalid.',
        responses: [],
      };
      expect(await alter('', [at(topic, [0, 5])])).toMatchObject(invalid);
      expect(await remove('', topic)).toMatchObject(invalid);
      const missing = uniqueName('missing');
      expect(await remove(missing, topic)).toMatchObject({
        errorCode: ErrorCode.GROUP_ID_NOT_FOUND,
        errorMessage: `Group ${missing} not found.`,
        responses: [],
      });
      expect(await offsets(missing, null)).toMatchObject({ errorCode: 0, errorMessage: null, topics: [] });
      const classic = uniqueName('classic');
      await client.request(offsetCommit, 8, commit(classic));
      const notShare = {
        errorCode: ErrorCode.GROUP_ID_NOT_FOUND,
        errorMessage: `Group ${classic} is not a share group.`,
      };
      expect(await alter(classic, [at(topic, [0, 5])])).toMatchObject(notShare);
      expect(await remove(classic, topic)).toMatchObject(notShare);
    });
  });
});
