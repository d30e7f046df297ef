import { describe, expect, it } from 'vitest';
import { ClassicGroup } from '../../src/group/classic/classic-group.ts';
import { Member } from '../../src/group/classic/member.ts';
import type { Committer } from '../../src/group/group.ts';
import { StreamsGroup } from '../../src/group/streams/streams-group.ts';
import { newMember } from '../../src/group/streams/streams-member.ts';

const nobody: Committer = {
  memberId: '',
  groupInstanceId: null,
  generationIdOrMemberEpoch: -1,
  apiVersion: 9,
  isTransactional: false,
};
const inTransaction = { ...nobody, isTransactional: true };

function classicGroup(): ClassicGroup {
  const group = new ClassicGroup('g', 0);
  const names = { memberId: 'm', groupInstanceId: null, clientId: 'c', clientHost: '/h', protocolType: 'consumer' };
  const protocols = [{ name: 'range', metadata: Buffer.alloc(0) }];
  group.add(new Member({ ...names, rebalanceTimeoutMs: 1, sessionTimeoutMs: 1, protocols }), null);
  group.transitionTo('PreparingRebalance', 0);
  group.nextGeneration(0);
  return group;
}

function streamsGroup(): StreamsGroup {
  const group = new StreamsGroup('g');
  const active = new Map([
    [
      '0',
      new Map([
        [0, 3],
        [1, 5],
      ]),
    ],
  ]);
  group.putMember({ ...newMember('m'), memberEpoch: 5, assigned: { active, standby: new Map(), warmup: new Map() } });
  const topics = { repartitionSinkTopics: [], repartitionSourceTopics: [], stateChangelogTopics: [] };
  const subtopology = { subtopologyId: '0', sourceTopics: ['in'], sourceTopicRegex: [], copartitionGroups: [] };
  group.setTopology({ epoch: 0, subtopologies: [{ ...subtopology, ...topics }] });
  return group;
}

describe('a classic group amid a rebalance', () => {
  it('refuses commits of those who do not say who they are, but not in a transaction', () => {
    expect(() => classicGroup().requireCommitter(nobody)).toThrow('UNKNOWN_MEMBER_ID');
    expect(classicGroup().requireCommitter(inTransaction)).toBeNull();
  });

  it('refuses commits of its members, but not in a transaction', () => {
    const member = { memberId: 'm', generationIdOrMemberEpoch: 1 };
    expect(() => classicGroup().requireCommitter({ ...nobody, ...member })).toThrow('REBALANCE_IN_PROGRESS');
    expect(classicGroup().requireCommitter({ ...inTransaction, ...member })).toBeNull();
    const earlier = { ...inTransaction, ...member, generationIdOrMemberEpoch: 0 };
    expect(() => classicGroup().requireCommitter(earlier)).toThrow('ILLEGAL_GENERATION');
  });
});

describe('a streams group', () => {
  it('refuses commits of those who do not say who they are, but not in a transaction', () => {
    expect(() => streamsGroup().requireCommitter(nobody)).toThrow('Member  is not a member of group g.');
    expect(streamsGroup().requireCommitter(inTransaction)).toBeNull();
  });

  it('takes commits of old clients in a transaction only', () => {
    const member = { memberId: 'm', generationIdOrMemberEpoch: 5, apiVersion: 3 };
    expect(() => streamsGroup().requireCommitter({ ...nobody, ...member })).toThrow('version 9 or above');
    expect(streamsGroup().requireCommitter({ ...inTransaction, ...member })).toBeNull();
  });

  it('takes commits in an earlier epoch for tasks that the member has had since then', () => {
    const check = streamsGroup().requireCommitter({ ...nobody, memberId: 'm', generationIdOrMemberEpoch: 4 });
    expect(() => check?.('', 'in', 0)).not.toThrow();
    expect(() => check?.('', 'in', 1)).toThrow(
      'Received member epoch 4 is older than assignment epoch 5 for task 0-1.',
    );
    expect(() => check?.('', 'in', 2)).toThrow('Task 0-2 is not assigned or pending revocation for member.');
    expect(() => check?.('', 'other', 0)).toThrow('Topic other is not in the topology.');
  });

  it('refuses commits in a later epoch', () => {
    const later = { ...nobody, memberId: 'm', generationIdOrMemberEpoch: 6 };
    const message = 'Received member epoch 6 is newer than current member epoch 5.';
    expect(() => streamsGroup().requireCommitter(later)).toThrow(message);
  });
});
