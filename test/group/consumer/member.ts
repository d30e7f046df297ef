import { ErrorCode } from '../../../protocol/errors.ts';
import type { ConsumerGroupHeartbeatResponse } from '../../../protocol/messages/68-consumer-group-heartbeat.ts';
import type { InputOf, MessageOf } from '../../../protocol/schema.ts';
import { offsetCommit } from '../../../src/api/08-offset-commit.ts';
import { consumerGroupHeartbeat } from '../../../src/api/68-consumer-group-heartbeat.ts';
import { consumerGroupDescribe } from '../../../src/api/69-consumer-group-describe.ts';
import { GroupBroker } from '../group-broker.ts';

export type Beat = InputOf<typeof consumerGroupHeartbeat.request>;
type Answer = MessageOf<typeof ConsumerGroupHeartbeatResponse>;

/** A member of the consumer protocol that does what a good client does. */
export class TestMember {
  readonly memberId: string;
  epoch = 0;
  /** What it owns, as `topic id/partition`, sorted. */
  owned: string[] = [];
  private readonly broker: () => GroupBroker;
  private readonly groupId: string;
  private readonly fields: Beat;
  /** The coordinator does not know what it owns. */
  private owesReport = true;

  constructor(broker: GroupBroker | (() => GroupBroker), memberId: string, fields: Beat = {}, groupId = 'g') {
    this.broker = broker instanceof GroupBroker ? () => broker : broker;
    this.memberId = memberId;
    this.groupId = groupId;
    this.fields = { subscribedTopicNames: ['t'], ...fields };
  }

  /** Sends a heartbeat, in which it tells what it owns where that has changed, and does what the answer says. */
  async beat(more: Beat = {}): Promise<Answer> {
    const answer = await this.send(more);
    this.follow(answer);
    return answer;
  }

  /** The same for a member that does not get or does not heed the answer. */
  send(more: Beat = {}): Promise<Answer> {
    const { memberId, groupId, epoch: memberEpoch } = this;
    const { instanceId = null } = this.fields;
    const all = { ...this.fields, rebalanceTimeoutMs: 60_000, topicPartitions: [] };
    const report = { topicPartitions: this.owesReport ? listed(this.owned) : null };
    const said = memberEpoch === 0 ? all : report;
    const request = { groupId, memberId, memberEpoch, instanceId, ...said, ...more };
    return this.broker().call(consumerGroupHeartbeat, 1, request);
  }

  follow({ errorCode, memberEpoch, assignment }: Answer): void {
    if (errorCode === ErrorCode.FENCED_MEMBER_EPOCH || errorCode === ErrorCode.UNKNOWN_MEMBER_ID) {
      this.epoch = 0;
      this.owned = [];
    }
    if (errorCode !== 0) return;
    this.epoch = memberEpoch;
    this.owesReport = assignment !== null;
    if (assignment !== null) this.owned = named(assignment.topicPartitions);
  }

  leave(memberEpoch = -1): Promise<Answer> {
    const { memberId, groupId } = this;
    const { instanceId = null } = this.fields;
    return this.broker().call(consumerGroupHeartbeat, 1, { groupId, memberId, memberEpoch, instanceId });
  }

  /** Commits one offset and gives the partition's error code. */
  async commit(topic: string, partitionIndex: number, offset: number, epoch = this.epoch): Promise<number> {
    const partitions = [{ partitionIndex, committedOffset: offset, committedMetadata: '' }];
    const { memberId, groupId } = this;
    const request = { groupId, memberId, generationIdOrMemberEpoch: epoch, topics: [{ name: topic, partitions }] };
    return (await this.broker().call(offsetCommit, 9, request)).topics[0].partitions[0].errorCode;
  }
}

/** Lets all of them go on until nothing happens any more. */
export async function settle(...members: TestMember[]): Promise<void> {
  for (let quiet = 0, rounds = 0; quiet < 2; rounds++) {
    if (rounds > 50) throw new Error('the group does not come to rest');
    const before = JSON.stringify(members.map(({ epoch, owned }) => [epoch, owned]));
    for (const member of members) await member.beat();
    quiet = before === JSON.stringify(members.map(({ epoch, owned }) => [epoch, owned])) ? quiet + 1 : 0;
  }
}

export async function describedGroup(broker: GroupBroker, groupId = 'g') {
  return (await broker.call(consumerGroupDescribe, 1, { groupIds: [groupId] })).groups[0];
}

const named = (topics: readonly { topicId: string; partitions: readonly number[] }[]): string[] =>
  topics.flatMap(({ topicId, partitions }) => partitions.map((index) => `${topicId}/${index}`)).sort();

function listed(owned: readonly string[]): { topicId: string; partitions: number[] }[] {
  const topics = new Map<string, number[]>();
  for (const one of owned) {
    const [topicId, partition] = one.split('/');
    topics.set(topicId, [...(topics.get(topicId) ?? []), Number(partition)]);
  }
  return [...topics].map(([topicId, partitions]) => ({ topicId, partitions }));
}
