import { setTimeout as sleep } from 'node:timers/promises';
import { OffsetCommitRequest, OffsetCommitResponse } from '../../protocol/messages/08-offset-commit.ts';
import { OffsetFetchRequest, OffsetFetchResponse } from '../../protocol/messages/09-offset-fetch.ts';
import { FindCoordinatorRequest, FindCoordinatorResponse } from '../../protocol/messages/10-find-coordinator.ts';
import { JoinGroupRequest, JoinGroupResponse } from '../../protocol/messages/11-join-group.ts';
import { DescribeGroupsRequest, DescribeGroupsResponse } from '../../protocol/messages/15-describe-groups.ts';
import { ListGroupsRequest, ListGroupsResponse } from '../../protocol/messages/16-list-groups.ts';
import { CreateTopicsRequest, CreateTopicsResponse } from '../../protocol/messages/19-create-topics.ts';
import { DeleteTopicsRequest, DeleteTopicsResponse } from '../../protocol/messages/20-delete-topics.ts';
import { DescribeConfigsRequest, DescribeConfigsResponse } from '../../protocol/messages/32-describe-configs.ts';
import { CreatePartitionsRequest, CreatePartitionsResponse } from '../../protocol/messages/37-create-partitions.ts';
import { DeleteGroupsRequest, DeleteGroupsResponse } from '../../protocol/messages/42-delete-groups.ts';
import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../protocol/messages/44-incremental-alter-configs.ts';
import { OffsetDeleteRequest, OffsetDeleteResponse } from '../../protocol/messages/47-offset-delete.ts';
import {
  DescribeTopicPartitionsRequest,
  DescribeTopicPartitionsResponse,
} from '../../protocol/messages/75-describe-topic-partitions.ts';
import {
  StreamsGroupHeartbeatRequest,
  StreamsGroupHeartbeatResponse,
} from '../../protocol/messages/88-streams-group-heartbeat.ts';
import {
  StreamsGroupDescribeRequest,
  StreamsGroupDescribeResponse,
} from '../../protocol/messages/89-streams-group-describe.ts';
import type { InputOf } from '../../protocol/schema.ts';
import { WireClient } from '../../test/support/wire-client.ts';
import type { Broker } from '../brokers.ts';
import { eventually } from '../helpers.ts';

export type HeartbeatFields = Partial<InputOf<typeof StreamsGroupHeartbeatRequest>>;
type TopologyFields = NonNullable<HeartbeatFields['topology']>;
export type SubtopologyFields = Partial<NonNullable<TopologyFields['subtopologies']>[number]>;

const GROUP_RESOURCE = 32;
/** Within which a coordinator of Apache Kafka has learnt of a change that the broker tells of already. */
const SETTLE_MS = 400;

/** A topology of these subtopologies, named 0, 1 and so on. */
export const topology = (...subtopologies: SubtopologyFields[]): TopologyFields => ({
  epoch: 0,
  subtopologies: subtopologies.map((fields, i) => ({ subtopologyId: String(i), ...fields })),
});

/** What a member says that joins: all that it has to. */
export const joining = (topology: TopologyFields): HeartbeatFields => ({
  memberEpoch: 0,
  rebalanceTimeoutMs: 30_000,
  processId: 'process-1',
  clientTags: [],
  activeTasks: [],
  standbyTasks: [],
  warmupTasks: [],
  topology,
});

/** What a member says that has these partitions of the only subtopology. */
export const owning = (...partitions: number[]): HeartbeatFields => ({
  activeTasks: partitions.length === 0 ? [] : [{ subtopologyId: '0', partitions }],
  standbyTasks: [],
  warmupTasks: [],
});

/** Speaks the bytes of one group; everything it names ends in a word of its own, which it takes out of the answers. */
export class WireGroup {
  private readonly client: WireClient;
  private readonly word: string;
  private readonly settleMs: number;
  readonly groupId: string;

  private constructor(client: WireClient, word: string, settleMs: number) {
    this.client = client;
    this.word = word;
    this.settleMs = settleMs;
    this.groupId = this.name('group');
  }

  /** A group that assigns at once, whatever the broker's delays. */
  static async open(broker: Broker, word: string): Promise<WireGroup> {
    const group = await WireGroup.reopen(broker, word);
    await group.configure('streams.initial.rebalance.delay.ms', '0');
    await group.configure('streams.assignment.interval.ms', '0');
    return group;
  }

  /** A group that may be there already. */
  static async reopen({ bootstrapServers, name }: Broker, word: string): Promise<WireGroup> {
    const settleMs = name === 'kafka' ? SETTLE_MS : 0;
    const group = new WireGroup(await WireClient.connect(bootstrapServers), word, settleMs);
    await group.findCoordinator();
    return group;
  }

  close(): Promise<void> {
    return this.client.close();
  }

  /** A name that only this test uses. */
  name(plain: string): string {
    return `${plain}-${this.word}`;
  }

  /** The answer without what differs from run to run. */
  private plain(answer: object): Record<string, unknown> {
    const text = JSON.stringify(answer, (key, value) => {
      if (key === 'throttleTimeMs' || key === 'topicId') return undefined;
      // Kafka's members come in the order of their hashes
      if (key === 'members') return [...value].sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
      return typeof value === 'bigint' ? String(value) : value;
    });
    return JSON.parse(text.replaceAll(`-${this.word}`, ''));
  }

  async heartbeat(memberId: string, fields: HeartbeatFields): Promise<Record<string, unknown>> {
    const api = { request: StreamsGroupHeartbeatRequest, response: StreamsGroupHeartbeatResponse };
    const body = { groupId: this.groupId, memberId, endpointInformationEpoch: 0, ...fields };
    return this.plain(await this.client.request(api, 0, body));
  }

  async describe(groupId = this.groupId): Promise<Record<string, unknown>> {
    const api = { request: StreamsGroupDescribeRequest, response: StreamsGroupDescribeResponse };
    return this.plain(await this.client.request(api, 0, { groupIds: [groupId], includeAuthorizedOperations: true }));
  }

  async describeClassic(): Promise<Record<string, unknown>> {
    const api = { request: DescribeGroupsRequest, response: DescribeGroupsResponse };
    return this.plain(await this.client.request(api, 6, { groups: [this.groupId] }));
  }

  /** This group in the list of those in the states. */
  async listed(...statesFilter: string[]): Promise<unknown> {
    const api = { request: ListGroupsRequest, response: ListGroupsResponse };
    const { groups } = await this.client.request(api, 5, { statesFilter, typesFilter: ['Streams'] });
    return groups.filter(({ groupId }) => groupId === this.groupId).map((group) => this.plain(group));
  }

  async delete(): Promise<Record<string, unknown>> {
    const api = { request: DeleteGroupsRequest, response: DeleteGroupsResponse };
    return this.plain(await this.client.request(api, 2, { groupsNames: [this.groupId] }));
  }

  /** The error code of a JoinGroup of the classic protocol. */
  async joinClassic(memberId = ''): Promise<number> {
    const api = { request: JoinGroupRequest, response: JoinGroupResponse };
    const body = {
      groupId: this.groupId,
      sessionTimeoutMs: 6000,
      rebalanceTimeoutMs: 6000,
      memberId,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.from('000100000000ffffffff', 'hex') }],
    };
    const { errorCode, memberId: given } = await this.client.request(api, 9, body);
    return errorCode === 79 ? this.joinClassic(given) : errorCode;
  }

  /** The error code of each partition of the topic, or of all. */
  async commit(memberId: string, epoch: number, topic: string, partitions: number[], version = 9): Promise<unknown> {
    const api = { request: OffsetCommitRequest, response: OffsetCommitResponse };
    const answer = await this.client.request(api, version, {
      groupId: this.groupId,
      memberId,
      generationIdOrMemberEpoch: epoch,
      topics: [
        {
          name: topic,
          partitions: partitions.map((p) => ({ partitionIndex: p, committedOffset: 5, committedMetadata: '' })),
        },
      ],
    });
    return answer.topics[0].partitions.map(({ errorCode }) => errorCode);
  }

  /** The offsets, or the error code of the group. */
  async fetch(memberId: string | null, memberEpoch: number, topic: string): Promise<unknown> {
    const api = { request: OffsetFetchRequest, response: OffsetFetchResponse };
    const topics = [{ name: topic, partitionIndexes: [0, 1] }];
    const answer = await this.client.request(api, 9, {
      groups: [{ groupId: this.groupId, memberId, memberEpoch, topics }],
    });
    const [{ errorCode, topics: answered }] = answer.groups;
    return errorCode || answered[0].partitions.map(({ committedOffset }) => committedOffset);
  }

  async deleteOffsets(topic: string): Promise<unknown> {
    const api = { request: OffsetDeleteRequest, response: OffsetDeleteResponse };
    const topics = [{ name: topic, partitions: [{ partitionIndex: 0 }] }];
    return this.plain(await this.client.request(api, 0, { groupId: this.groupId, topics }));
  }

  async configure(name: string, value: string): Promise<void> {
    const api = { request: IncrementalAlterConfigsRequest, response: IncrementalAlterConfigsResponse };
    const { responses } = await this.client.request(api, 1, {
      resources: [
        {
          resourceType: GROUP_RESOURCE,
          resourceName: this.groupId,
          configs: [{ name, configOperation: 0, value }],
        },
      ],
      validateOnly: false,
    });
    if (responses[0].errorCode !== 0) throw new Error(`${name}: ${responses[0].errorMessage}`);
    await eventually(async () => (await this.configuredValue(name)) === value);
    await sleep(this.settleMs);
  }

  private async configuredValue(name: string): Promise<string | null | undefined> {
    const api = { request: DescribeConfigsRequest, response: DescribeConfigsResponse };
    const resources = [{ resourceType: GROUP_RESOURCE, resourceName: this.groupId, configurationKeys: [name] }];
    const { results } = await this.client.request(api, 4, { resources });
    return results[0].configs[0]?.value;
  }

  async createTopic(plain: string, partitions: number): Promise<string> {
    const api = { request: CreateTopicsRequest, response: CreateTopicsResponse };
    const name = this.name(plain);
    const topics = [{ name, numPartitions: partitions, replicationFactor: 1, assignments: [], configs: [] }];
    await this.client.request(api, 7, { topics, timeoutMs: 10_000, validateOnly: false });
    await this.settled(name, partitions);
    return name;
  }

  async addPartitions(name: string, count: number): Promise<void> {
    const api = { request: CreatePartitionsRequest, response: CreatePartitionsResponse };
    const topics = [{ name, count, assignments: null }];
    await this.client.request(api, 3, { topics, timeoutMs: 10_000, validateOnly: false });
    await this.settled(name, count);
  }

  async deleteTopic(name: string): Promise<void> {
    const api = { request: DeleteTopicsRequest, response: DeleteTopicsResponse };
    await this.client.request(api, 6, { topics: [{ name }], timeoutMs: 10_000 });
    await this.settled(name, 0);
  }

  /** Comes back when the coordinator knows that the topic has so many partitions. */
  async settled(name: string, partitions: number): Promise<void> {
    await eventually(async () => (await this.partitionCount(name)) === partitions);
    await sleep(this.settleMs);
  }

  /** 0 where there is no such topic. */
  async partitionCount(name: string): Promise<number> {
    const api = { request: DescribeTopicPartitionsRequest, response: DescribeTopicPartitionsResponse };
    const { topics } = await this.client.request(api, 0, { topics: [{ name }], cursor: null });
    return topics[0].partitions.length;
  }

  private async findCoordinator(): Promise<void> {
    const api = { request: FindCoordinatorRequest, response: FindCoordinatorResponse };
    await eventually(async () => {
      const body = { keyType: 0, coordinatorKeys: [this.groupId] };
      const { coordinators } = await this.client.request(api, 4, body);
      return coordinators[0].errorCode === 0;
    });
    await eventually(async () => this.isServed(await this.describe()));
  }

  /** Whether the coordinator has loaded what it keeps. */
  private isServed({ groups }: Record<string, unknown>): boolean {
    const NOT_FOUND = 69;
    return [0, NOT_FOUND].includes((groups as { errorCode: number }[])[0].errorCode);
  }
}
