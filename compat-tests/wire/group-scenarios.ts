import { OffsetCommitRequest, OffsetCommitResponse } from '../../protocol/messages/08-offset-commit.ts';
import { OffsetFetchRequest, OffsetFetchResponse } from '../../protocol/messages/09-offset-fetch.ts';
import { FindCoordinatorRequest, FindCoordinatorResponse } from '../../protocol/messages/10-find-coordinator.ts';
import { ShareFetchRequest, ShareFetchResponse } from '../../protocol/messages/78-share-fetch.ts';
import {
  StreamsGroupHeartbeatRequest,
  StreamsGroupHeartbeatResponse,
} from '../../protocol/messages/88-streams-group-heartbeat.ts';
import {
  AlterShareGroupOffsetsRequest,
  AlterShareGroupOffsetsResponse,
} from '../../protocol/messages/91-alter-share-group-offsets.ts';
import { eventually, uniqueName } from '../helpers.ts';
import type { Recording } from './recording.ts';

const Find = { request: FindCoordinatorRequest, response: FindCoordinatorResponse };
const Commit = { request: OffsetCommitRequest, response: OffsetCommitResponse };
const OffsetFetch = { request: OffsetFetchRequest, response: OffsetFetchResponse };
const ShareFetch = { request: ShareFetchRequest, response: ShareFetchResponse };
const StreamsHeartbeat = { request: StreamsGroupHeartbeatRequest, response: StreamsGroupHeartbeatResponse };
const Alter = { request: AlterShareGroupOffsetsRequest, response: AlterShareGroupOffsetsResponse };

/** A group whose coordinator serves. */
async function group(r: Recording): Promise<string> {
  const groupId = r.standIn(uniqueName('group'), 'g');
  await eventually(async () => {
    const found = await r.client.request(Find, 6, { keyType: 0, coordinatorKeys: [groupId] });
    if (found.coordinators[0].errorCode !== 0) return false;
    const { groups } = await r.client.request(OffsetFetch, 8, { groups: [{ groupId, topics: null }] });
    return groups[0].errorCode === 0;
  });
  return groupId;
}

/** What Kafka answers to requests about groups that no client of its own would send. */
export const groups: Record<string, (r: Recording) => Promise<void>> = {
  async negativeLeaderEpochs(r) {
    const groupId = await group(r);
    const name = uniqueName('committed');
    await r.topic(name, 't');
    for (const committedLeaderEpoch of [-7, -1, 0]) {
      const partitions = [{ partitionIndex: 0, committedOffset: 5, committedLeaderEpoch, committedMetadata: '' }];
      await r.ask(`epoch ${committedLeaderEpoch}`, Commit, 9, { groupId, topics: [{ name, partitions }] });
      await r.ask('then', OffsetFetch, 9, { groups: [{ groupId, topics: null }] });
    }
  },

  async shareAcquireModes(r) {
    const topicId = await r.topic(uniqueName('shared'), 't');
    const common = {
      groupId: uniqueName('group'),
      memberId: 'm',
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes: 1000,
      maxRecords: 1,
      batchSize: 1,
    };
    const topics = [{ topicId, partitions: [{ partitionIndex: 0 }] }];
    const ask = (shareSessionEpoch: number, shareAcquireMode: number, more = {}) =>
      r.ask(`epoch ${shareSessionEpoch}, mode ${shareAcquireMode}`, ShareFetch, 2, {
        ...common,
        shareSessionEpoch,
        shareAcquireMode,
        ...more,
      });
    await ask(0, 7);
    await ask(1, 7);
    await ask(2, 0);
    await ask(0, 7, { topics });
    await ask(1, 7);
    await ask(1, 7);
    await ask(2, -1);
    await ask(-1, 7);
    await ask(-1, 0);
  },

  async repeatedTopicsInAlteredOffsets(r) {
    const groupId = await group(r);
    const topicName = uniqueName('altered');
    await r.topic(topicName, 't');
    const of = (partitionIndex: number, startOffset: number) => ({ partitionIndex, startOffset });
    const ask = (what: string, ...topics: { topicName: string; partitions: ReturnType<typeof of>[] }[]) =>
      r.ask(what, Alter, 0, { groupId, topics });
    await ask('a topic twice', { topicName, partitions: [of(0, 0)] }, { topicName, partitions: [of(1, 0)] });
    await ask(
      'and a partition that does not exist',
      { topicName, partitions: [of(0, 0)] },
      { topicName, partitions: [of(9, 0)] },
    );
    await ask(
      'a topic that does not exist',
      { topicName: 'no-such-topic', partitions: [of(0, 0)] },
      { topicName: 'no-such-topic', partitions: [of(1, 0)] },
    );
    await ask('a partition twice', { topicName, partitions: [of(0, 0), of(0, 0)] });
    await ask('no partitions', { topicName, partitions: [] });
  },

  async repeatedClientTags(r) {
    const groupId = await group(r);
    const topology = { epoch: 0, subtopologies: [{ subtopologyId: '0', sourceTopics: ['no-such-topic'] }] };
    const tags = (...keys: string[]) => keys.map((key) => ({ key, value: 'v' }));
    const joining = {
      groupId,
      memberId: 'm',
      memberEpoch: 0,
      rebalanceTimeoutMs: 1000,
      processId: 'p',
      activeTasks: [],
      standbyTasks: [],
      warmupTasks: [],
      topology,
    };
    await r.ask('a tag twice', StreamsHeartbeat, 0, { ...joining, clientTags: tags('a', 'a') });
    await r.ask('a tag twice, and no topology', StreamsHeartbeat, 0, {
      ...joining,
      topology: null,
      clientTags: tags('a', 'a'),
    });
    await r.ask('two tags', StreamsHeartbeat, 0, { ...joining, clientTags: tags('a', 'b') });
    await r.ask('a tag twice, later', StreamsHeartbeat, 0, {
      groupId,
      memberId: 'm',
      memberEpoch: 2,
      clientTags: tags('a', 'a'),
    });
  },
};
