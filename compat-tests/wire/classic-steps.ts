import { errorName } from '../../protocol/errors.ts';
import { OffsetCommitRequest, OffsetCommitResponse } from '../../protocol/messages/08-offset-commit.ts';
import { OffsetFetchRequest, OffsetFetchResponse } from '../../protocol/messages/09-offset-fetch.ts';
import { FindCoordinatorRequest, FindCoordinatorResponse } from '../../protocol/messages/10-find-coordinator.ts';
import { JoinGroupRequest, JoinGroupResponse } from '../../protocol/messages/11-join-group.ts';
import { HeartbeatRequest, HeartbeatResponse } from '../../protocol/messages/12-heartbeat.ts';
import { LeaveGroupRequest, LeaveGroupResponse } from '../../protocol/messages/13-leave-group.ts';
import { SyncGroupRequest, SyncGroupResponse } from '../../protocol/messages/14-sync-group.ts';
import { DescribeGroupsRequest, DescribeGroupsResponse } from '../../protocol/messages/15-describe-groups.ts';
import { DeleteGroupsRequest, DeleteGroupsResponse } from '../../protocol/messages/42-delete-groups.ts';
import { OffsetDeleteRequest, OffsetDeleteResponse } from '../../protocol/messages/47-offset-delete.ts';
import type { InputOf } from '../../protocol/schema.ts';
import { WireClient } from '../../test/support/wire-client.ts';
import { eventually } from '../helpers.ts';

const Join = { request: JoinGroupRequest, response: JoinGroupResponse };
const Sync = { request: SyncGroupRequest, response: SyncGroupResponse };
const Beat = { request: HeartbeatRequest, response: HeartbeatResponse };
const Leave = { request: LeaveGroupRequest, response: LeaveGroupResponse };
const Commit = { request: OffsetCommitRequest, response: OffsetCommitResponse };
const Fetch = { request: OffsetFetchRequest, response: OffsetFetchResponse };
const Find = { request: FindCoordinatorRequest, response: FindCoordinatorResponse };
const Describe = { request: DescribeGroupsRequest, response: DescribeGroupsResponse };
const DeleteGroups = { request: DeleteGroupsRequest, response: DeleteGroupsResponse };
const DeleteOffsets = { request: OffsetDeleteRequest, response: OffsetDeleteResponse };

/** Whether `version` of a request has fields that came with `since`. */
const from = <T extends object>(version: number, since: number, fields: T): T | object =>
  version >= since ? fields : {};

/** Hand-made requests about one group of the classic protocol, each noted with what came of it. */
export class ClassicSteps {
  readonly lines: string[] = [];
  readonly groupId: string;
  readonly topic: string;
  private readonly client: WireClient;
  /** Member ids differ between brokers: they are noted in the order in which they come. */
  private readonly members: string[] = [];

  private constructor(client: WireClient, groupId: string, topic: string) {
    this.client = client;
    this.groupId = groupId;
    this.topic = topic;
  }

  /** The coordinator serves when it comes. */
  static async open(bootstrapServers: string, groupId: string, topic: string): Promise<ClassicSteps> {
    const client = await WireClient.connect(bootstrapServers);
    await eventually(async () => (await client.request(Find, 3, { key: groupId, keyType: 0 })).errorCode === 0);
    await eventually(async () => (await client.request(Fetch, 7, { groupId, topics: null })).errorCode === 0);
    return new ClassicSteps(client, groupId, topic);
  }

  close(): Promise<void> {
    return this.client.close();
  }

  private note(what: string, api: string, ...seen: (string | number | boolean | null)[]): void {
    this.lines.push(`${what} (${api}): ${seen.join(' ')}`.trimEnd());
  }

  private named(memberId: string): string {
    if (memberId === '') return "''";
    if (!this.members.includes(memberId)) this.members.push(memberId);
    return `M${this.members.indexOf(memberId)}`;
  }

  async join(what: string, version: number, body: InputOf<typeof JoinGroupRequest> = {}) {
    const answer = await this.client.request(Join, version, {
      groupId: this.groupId,
      sessionTimeoutMs: 30_000,
      memberId: '',
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.from('m') }],
      ...from(version, 1, { rebalanceTimeoutMs: 30_000 }),
      ...body,
    });
    const { errorCode, generationId, protocolType, protocolName, leader, memberId, members } = answer;
    const who = members.map((member) => this.named(member.memberId)).join(',');
    const seen = [generationId, protocolType, protocolName, this.named(leader), this.named(memberId), `[${who}]`];
    this.note(what, `JoinGroup ${version}`, errorName(errorCode), ...seen);
    return { memberId, generationId };
  }

  async sync(what: string, version: number, body: InputOf<typeof SyncGroupRequest>) {
    const answer = await this.client.request(Sync, version, {
      groupId: this.groupId,
      assignments: [],
      ...from(version, 5, { protocolType: 'consumer', protocolName: 'range' }),
      ...body,
    });
    const { errorCode, protocolType, protocolName, assignment } = answer;
    const seen = [protocolType, protocolName, `'${assignment.toString()}'`];
    this.note(what, `SyncGroup ${version}`, errorName(errorCode), ...seen);
  }

  async beat(what: string, version: number, body: InputOf<typeof HeartbeatRequest>) {
    const { errorCode } = await this.client.request(Beat, version, { groupId: this.groupId, ...body });
    this.note(what, `Heartbeat ${version}`, errorName(errorCode));
  }

  async leave(what: string, version: number, body: InputOf<typeof LeaveGroupRequest>) {
    const { errorCode, members } = await this.client.request(Leave, version, { groupId: this.groupId, ...body });
    const each = members.map((member) => `${member.groupInstanceId} ${errorName(member.errorCode)}`);
    this.note(what, `LeaveGroup ${version}`, errorName(errorCode), ...each);
  }

  async commit(what: string, version: number, body: InputOf<typeof OffsetCommitRequest> = {}, partition = 0) {
    const metadata = 'metadata' in body ? String(body.metadata) : '';
    const partitions = [{ partitionIndex: partition, committedOffset: 5, committedMetadata: metadata }];
    const { topics } = await this.client.request(Commit, version, {
      groupId: this.groupId,
      topics: [{ name: this.topic, partitions }],
      ...body,
    });
    const codes = topics.flatMap((topic) => topic.partitions.map(({ errorCode }) => errorName(errorCode)));
    this.note(what, `OffsetCommit ${version}`, ...codes);
  }

  async fetch(what: string, version: number, groupId = this.groupId) {
    const topics = [{ name: this.topic, partitionIndexes: [0, 1, 9] }];
    const answer = await this.client.request(Fetch, version, { groupId, topics });
    const offsets = answer.topics.flatMap((topic) =>
      topic.partitions.map(({ committedOffset, errorCode }) => `${Number(committedOffset)}/${errorName(errorCode)}`),
    );
    this.note(what, `OffsetFetch ${version}`, errorName(answer.errorCode), ...offsets);
  }

  async describe(what: string, version: number, groupId = this.groupId) {
    const { groups } = await this.client.request(Describe, version, { groups: [groupId] });
    const { errorCode, groupState, protocolType, protocolData, members } = groups[0];
    const seen = [groupState, `'${protocolType}'`, `'${protocolData}'`, members.length];
    this.note(what, `DescribeGroups ${version}`, errorName(errorCode), ...seen);
  }

  async deleteGroups(what: string, version: number, ...groupsNames: string[]) {
    const { results } = await this.client.request(DeleteGroups, version, { groupsNames });
    // in no particular order
    this.note(what, `DeleteGroups ${version}`, ...results.map(({ errorCode }) => errorName(errorCode)).sort());
  }

  async deleteOffsets(what: string, groupId = this.groupId, partition = 0) {
    const topics = [{ name: this.topic, partitions: [{ partitionIndex: partition }] }];
    const answer = await this.client.request(DeleteOffsets, 0, { groupId, topics });
    const codes = answer.topics.flatMap((topic) => topic.partitions.map(({ errorCode }) => errorName(errorCode)));
    this.note(what, 'OffsetDelete 0', errorName(answer.errorCode), ...codes);
  }
}
