/** Requests of the classic protocol with everything filled in that a test does not care about. */
import type { InputOf } from '../../protocol/schema.ts';
import { offsetCommit } from '../../src/api/08-offset-commit.ts';
import { joinGroup } from '../../src/api/11-join-group.ts';
import { heartbeat } from '../../src/api/12-heartbeat.ts';
import { leaveGroup } from '../../src/api/13-leave-group.ts';
import { syncGroup } from '../../src/api/14-sync-group.ts';
import { describeGroups } from '../../src/api/15-describe-groups.ts';
import type { GroupBroker } from './group-broker.ts';

/** A ConsumerProtocolSubscription of version 1 for these topics. */
export function subscription(...topics: string[]): Buffer {
  const parts = [Buffer.from([0, 1]), int32(topics.length)];
  for (const topic of topics) parts.push(Buffer.from([0, topic.length]), Buffer.from(topic));
  return Buffer.concat([...parts, int32(-1), int32(0)]);
}

function int32(value: number): Buffer {
  const buf = Buffer.alloc(4);
  buf.writeInt32BE(value);
  return buf;
}

/** Strategies, all with the same subscription. */
export const protocols = (...names: string[]) => names.map((name) => ({ name, metadata: subscription('t') }));

export type JoinInput = InputOf<typeof joinGroup.request>;

export function joinRequest(groupId: string, more: JoinInput = {}): JoinInput {
  const timeouts = { sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 20_000 };
  return { groupId, ...timeouts, protocolType: 'consumer', protocols: protocols('range'), ...more };
}

/** A JoinGroup under way: `answer` is set when it has come. */
export interface Pending<T> {
  answer: T | null;
}

export function pending<T>(promise: Promise<T>): Pending<T> {
  const one: Pending<T> = { answer: null };
  promise.then((answer) => {
    one.answer = answer;
  });
  return one;
}

type JoinAnswer = Awaited<ReturnType<typeof startJoin>>;

/** Sends one JoinGroup. */
export function startJoin(broker: GroupBroker, groupId: string, more: JoinInput = {}, version = 3) {
  return broker.call(joinGroup, version, joinRequest(groupId, more));
}

/** Joins and lets the time of the initial rebalance pass. */
export async function joined(
  broker: GroupBroker,
  groupId: string,
  more: JoinInput = {},
  version = 3,
): Promise<JoinAnswer> {
  const answer = startJoin(broker, groupId, more, version);
  await broker.clock.advance(1);
  return answer;
}

export interface Identity {
  readonly memberId: string;
  readonly generationId: number;
}

export function synced(
  broker: GroupBroker,
  groupId: string,
  { memberId, generationId }: Identity,
  assignments: Readonly<Record<string, string>> = {},
) {
  const list = Object.entries(assignments).map(([id, text]) => ({ memberId: id, assignment: Buffer.from(text) }));
  return broker.call(syncGroup, 3, { groupId, memberId, generationId, assignments: list });
}

/** A group with one member, stable, in generation 1. */
export async function stableGroup(broker: GroupBroker, groupId: string, more: JoinInput = {}): Promise<Identity> {
  const member = await joined(broker, groupId, more, more.groupInstanceId == null ? 3 : 5);
  await synced(broker, groupId, member, { [member.memberId]: `of ${groupId}` });
  return member;
}

export async function beat(broker: GroupBroker, groupId: string, { memberId, generationId }: Identity) {
  return (await broker.call(heartbeat, 3, { groupId, memberId, generationId })).errorCode;
}

export async function described(broker: GroupBroker, groupId: string) {
  return (await broker.call(describeGroups, 5, { groups: [groupId] })).groups[0];
}

/** Dynamic members and their ids. */
export function left(broker: GroupBroker, groupId: string, ...memberIds: string[]) {
  return broker.call(leaveGroup, 5, { groupId, members: memberIds.map((memberId) => ({ memberId })) });
}

/** Commits one offset and gives the partition's error code. */
export async function committed(
  broker: GroupBroker,
  groupId: string,
  offset: number,
  by: Partial<Identity> = {},
  partitionIndex = 0,
  topic = 't',
): Promise<number> {
  const { memberId = '', generationId = -1 } = by;
  const partitions = [{ partitionIndex, committedOffset: offset, committedMetadata: '' }];
  const request = { groupId, memberId, generationIdOrMemberEpoch: generationId, topics: [{ name: topic, partitions }] };
  return (await broker.call(offsetCommit, 8, request)).topics[0].partitions[0].errorCode;
}
