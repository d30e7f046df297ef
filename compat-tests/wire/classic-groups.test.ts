import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeBrokers } from '../describe-brokers.ts';
import { uniqueName } from '../helpers.ts';
import { kafkajs } from '../kafkajs/client.ts';
import { ClassicSteps } from './classic-steps.ts';

const range = { name: 'range', metadata: Buffer.from('m') };
const assignmentOf = (memberId: string) => [{ memberId, assignment: Buffer.from('all') }];

/** What Kafka answers to right and wrong requests, recorded: `COMPAT_BROKERS=kafka vitest run --project compat -u`. */
const scenarios: Record<string, (steps: ClassicSteps) => Promise<void>> = {
  async joining(s) {
    await s.join('an empty group id', 4, { groupId: '' });
    await s.join('a session that is too short', 4, { sessionTimeoutMs: 10 });
    await s.join('a session that is too long', 4, { sessionTimeoutMs: 100_000_000 });
    await s.join('a member of no group', 4, { memberId: 'nobody' });
    await s.join('no protocol', 4, { protocols: [] });
    await s.join('no protocol type', 4, { protocolType: '' });
    const pending = await s.join('without a member id', 4);
    await s.beat('pending', 3, { ...pending, generationId: 0 });
    await s.sync('pending', 3, { ...pending, generationId: 0 });
    const member = await s.join('with the member id', 4, { memberId: pending.memberId });
    await s.join('again, before the assignment', 5, { memberId: member.memberId });
    await s.join('another protocol type', 5, { memberId: member.memberId, protocolType: 'connect' });
    await s.join('a newcomer of another protocol type', 5, { protocolType: 'connect' });
    await s.join('a newcomer without a common protocol', 5, { protocols: [{ ...range, name: 'other' }] });
    await s.join('a member of another group', 5, { memberId: 'somebody' });
    await s.describe('then', 5);
  },

  async versions(s) {
    for (let version = 2; version <= 9; version++) {
      const reason = version >= 8 ? { reason: 'because' } : {};
      let member = await s.join('joins', version, reason);
      if (member.memberId !== '' && version >= 4)
        member = await s.join('joins with its id', version, { memberId: member.memberId });
      const syncVersion = Math.min(5, Math.max(0, version - 4));
      await s.sync('gets its share', syncVersion, {
        ...member,
        assignments: assignmentOf(member.memberId),
      });
      await s.beat('beats', Math.min(4, Math.max(0, version - 5)), member);
      await s.leave('leaves', 2, { memberId: member.memberId });
    }
  },

  async generations(s) {
    const member = await s.join('joins', 3);
    const { memberId, generationId } = member;
    await s.sync('no group', 5, { ...member, groupId: '' });
    await s.sync('another generation', 5, { memberId, generationId: generationId + 1 });
    await s.sync('another member', 5, { memberId: 'nobody', generationId });
    await s.sync('another protocol', 5, { ...member, protocolName: 'sticky' });
    await s.sync('another protocol type', 5, { ...member, protocolType: 'connect' });
    await s.commit('before the assignment', 7, { memberId, generationIdOrMemberEpoch: generationId });
    await s.beat('before the assignment', 4, member);
    await s.sync('right', 5, {
      ...member,
      assignments: assignmentOf(memberId),
    });
    await s.sync('again', 5, member);
    await s.sync('again, without the protocol', 5, { ...member, protocolType: null, protocolName: null });
    await s.beat('right', 4, member);
    await s.beat('no group', 4, { ...member, groupId: '' });
    await s.beat('an unknown group', 4, { ...member, groupId: `${s.groupId}-other` });
    await s.beat('an old generation', 4, { memberId, generationId: generationId - 1 });
    await s.beat('a generation to come', 4, { memberId, generationId: generationId + 1 });
    await s.beat('another member', 4, { memberId: 'nobody', generationId });
    await s.beat('an instance that it is not', 4, { ...member, groupInstanceId: 'instance' });
    await s.describe('then', 5);
    await s.join('a member that goes on', 5, { memberId });
    await s.describe('then', 0);
  },

  async leaving(s) {
    await s.leave('no group', 3, { groupId: '', members: [] });
    await s.leave('an unknown group', 3, { members: [{ memberId: 'nobody', groupInstanceId: null }] });
    await s.leave('an unknown group', 1, { memberId: 'nobody' });
    const member = await s.join('joins', 5, { groupInstanceId: 'instance' });
    const { memberId } = member;
    await s.sync('gets its share', 3, { ...member, groupInstanceId: 'instance', assignments: assignmentOf(memberId) });
    await s.leave('another member', 3, { members: [{ memberId: 'nobody', groupInstanceId: null }] });
    await s.leave('another instance', 3, { members: [{ memberId: '', groupInstanceId: 'other' }] });
    await s.leave('an instance of another member', 3, {
      members: [{ memberId: 'nobody', groupInstanceId: 'instance' }],
    });
    await s.beat('an instance of another member', 3, { ...member, memberId: 'nobody', groupInstanceId: 'instance' });
    const next = await s.join('takes the place of the instance', 5, { groupInstanceId: 'instance' });
    await s.beat('the former one', 3, { ...member, groupInstanceId: 'instance' });
    await s.sync('the former one', 3, { ...member, groupInstanceId: 'instance' });
    await s.commit('the former one', 7, {
      memberId,
      generationIdOrMemberEpoch: member.generationId,
      groupInstanceId: 'instance',
    });
    await s.join('the former one', 5, { memberId, groupInstanceId: 'instance' });
    await s.leave('by its instance', 3, {
      members: [
        { memberId: '', groupInstanceId: 'instance' },
        { memberId: next.memberId, groupInstanceId: 'instance' },
      ],
    });
    await s.describe('then', 5);
  },

  async offsets(s) {
    await s.fetch('nothing is committed', 7);
    await s.fetch('no group', 7, '');
    await s.commit('no group', 7, { groupId: '' });
    await s.commit('a generation of no group', 7, { generationIdOrMemberEpoch: 1 });
    await s.commit('a generation of no group', 7, { memberId: 'nobody', generationIdOrMemberEpoch: 1 });
    await s.commit('outside of a group', 7);
    await s.commit('a partition that does not exist', 7, {}, 9);
    await s.fetch('then', 1);
    await s.fetch('then', 7);
    const member = await s.join('joins', 3);
    const { memberId, generationId } = member;
    await s.sync('gets its share', 3, { ...member, assignments: assignmentOf(memberId) });
    await s.commit('outside of the group', 7);
    await s.commit('another member', 7, { memberId: 'nobody', generationIdOrMemberEpoch: generationId });
    await s.commit('another generation', 7, { memberId, generationIdOrMemberEpoch: generationId + 1 });
    await s.commit('an instance that it is not', 7, {
      memberId,
      generationIdOrMemberEpoch: generationId,
      groupInstanceId: 'instance',
    });
    for (let version = 2; version <= 9; version++)
      await s.commit('right', version, { memberId, generationIdOrMemberEpoch: generationId }, 1);
    await s.deleteOffsets('while there are members');
    await s.deleteGroups('while there are members', 2, s.groupId);
    await s.leave('leaves', 2, { memberId });
    await s.describe('then', 5);
    await s.deleteOffsets('a partition that does not exist', s.groupId, 9);
    await s.deleteOffsets('right');
    await s.deleteOffsets('no group', '');
    await s.deleteOffsets('an unknown group', `${s.groupId}-other`);
    await s.fetch('then', 7);
    await s.deleteGroups('one of them is unknown', 2, s.groupId, `${s.groupId}-other`, '');
    await s.describe('then', 5);
    await s.describe('then', 6);
    await s.fetch('then', 7);
  },
};

describeBrokers('groups of the classic protocol, request by request', (broker) => {
  it.each(Object.entries(scenarios))('%s', async (name, scenario) => {
    const topic = uniqueName('classic');
    const admin = kafkajs(broker.bootstrapServers).admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions: 2 }] });
    await admin.disconnect();
    const steps = await ClassicSteps.open(broker.bootstrapServers, uniqueName('group'), topic);
    try {
      await scenario(steps);
    } finally {
      await steps.close();
    }
    const recorded = join(import.meta.dirname, 'expected', `classic-groups-${name}.txt`);
    await expect(`${steps.lines.join('\n')}\n`).toMatchFileSnapshot(recorded);
  });
});
