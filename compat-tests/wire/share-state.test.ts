import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { findCoordinator } from '../../src/api/10-find-coordinator.ts';
import { createTopics } from '../../src/api/19-create-topics.ts';
import { describeConfigs } from '../../src/api/32-describe-configs.ts';
import { initializeShareGroupState } from '../../src/api/83-initialize-share-group-state.ts';
import { readShareGroupState } from '../../src/api/84-read-share-group-state.ts';
import { writeShareGroupState } from '../../src/api/85-write-share-group-state.ts';
import { deleteShareGroupState } from '../../src/api/86-delete-share-group-state.ts';
import { readShareGroupStateSummary } from '../../src/api/87-read-share-group-state-summary.ts';
import { WireClient } from '../../test/support/wire-client.ts';
import { describeBrokers } from '../describe-brokers.ts';
import { eventually, times, uniqueName } from '../helpers.ts';

const NOBODY = 'nobodynobodynobodynobo';
const SHARE = 2;
/** ConfigSource of what a topic says itself. */
const TOPIC_CONFIG = 1;

const OK = { errorCode: 0, errorMessage: null };
const UNKNOWN = {
  errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  errorMessage: 'This server does not host this topic-partition.',
};
const FENCED_LEADER = {
  errorCode: ErrorCode.FENCED_LEADER_EPOCH,
  errorMessage: 'The leader epoch in the request is older than the epoch on the broker.',
};
const FENCED_STATE = {
  errorCode: ErrorCode.FENCED_STATE_EPOCH,
  errorMessage: 'The share coordinator rejected the request because the share-group state epoch did not match.',
};
const NEGATIVE = {
  errorCode: ErrorCode.INVALID_REQUEST,
  errorMessage: 'The partition id cannot be a negative number.',
};
const invalid = (errorMessage: string) => ({ errorCode: ErrorCode.INVALID_REQUEST, errorMessage });

describeBrokers('the state of share groups', (broker) => {
  let client: WireClient;
  let topicId: string;
  const groupId = uniqueName('share');

  beforeAll(async () => {
    client = await WireClient.connect(broker.bootstrapServers);
    const topic = {
      name: uniqueName('share-state'),
      numPartitions: 3,
      replicationFactor: 1,
      assignments: [],
      configs: [],
    };
    const created = await client.request(createTopics, 7, { topics: [topic], timeoutMs: 10_000, validateOnly: false });
    topicId = created.topics[0].topicId;
    await eventually(async () => {
      const found = await find([`${groupId}:${topicId}:0`]);
      return found.coordinators[0].errorCode === 0;
    });
    // Kafka's coordinators learn of the topic one after the other
    await eventually(async () => {
      const groups = times(100, (i) => `ready-${i}`);
      const told = await Promise.all(groups.map((group) => summary(group, topicId, { partition: 2, leaderEpoch: 0 })));
      return told.every(({ errorCode }) => errorCode === 0);
    });
  });
  afterAll(() => client.close());

  const find = (coordinatorKeys: string[]) => client.request(findCoordinator, 6, { keyType: SHARE, coordinatorKeys });

  /** One partition of one topic, asked and answered. */
  const initialize = async (group: string, topic: string, partition: object) =>
    served(() => client.request(initializeShareGroupState, 0, wanted(group, topic, partition)));
  const read = async (group: string, topic: string, partition: object) =>
    served(() => client.request(readShareGroupState, 0, wanted(group, topic, partition)));
  const write = async (group: string, topic: string, partition: object) =>
    served(() => client.request(writeShareGroupState, 1, wanted(group, topic, partition)));
  const remove = async (group: string, topic: string, partition: object) =>
    served(() => client.request(deleteShareGroupState, 0, wanted(group, topic, partition)));
  const summary = async (group: string, topic: string, partition: object) =>
    served(() => client.request(readShareGroupStateSummary, 1, wanted(group, topic, partition)));

  it('is found by group, topic id and partition', async () => {
    const [found] = (await find([`${groupId}:with:colons:${topicId}:1`])).coordinators;
    expect(found).toMatchObject({ errorCode: 0, nodeId: 1 });
    for (const key of ['', 'g', `g:${topicId}`, `:${topicId}:0`, ` :${topicId}:0`, 'g:short:0', `g:${topicId}:x`]) {
      expect((await find([key])).coordinators[0]).toMatchObject({
        key,
        errorCode: ErrorCode.INVALID_REQUEST,
        nodeId: -1,
      });
    }
    const older = await client.request(findCoordinator, 5, { keyType: SHARE, coordinatorKeys: [`g:${topicId}:0`] });
    expect(older.coordinators[0].errorCode).toBe(ErrorCode.INVALID_REQUEST);
  });

  it('is kept in a topic of its own', async () => {
    const expected = {
      'cleanup.policy': 'delete',
      'compression.type': 'producer',
      'min.insync.replicas': '1',
      'retention.ms': '-1',
      'segment.bytes': '104857600',
    };
    const resources = [
      { resourceType: 2, resourceName: '__share_group_state', configurationKeys: Object.keys(expected) },
    ];
    const { results } = await client.request(describeConfigs, 4, { resources });
    expect(Object.fromEntries(results[0].configs.map(({ name, value }) => [name, value]))).toEqual(expected);
    for (const { configSource } of results[0].configs) expect(configSource).toBe(TOPIC_CONFIG);
  });

  it('begins with an initialization', async () => {
    const group = uniqueName('begin');
    expect(await read(group, topicId, { partition: 0, leaderEpoch: 0 })).toEqual({
      partition: 0,
      ...invalid('Read operation on uninitialized share partition not allowed.'),
      ...NO_STATE,
    });
    expect(await write(group, topicId, { partition: 0, ...WRITE })).toEqual({
      partition: 0,
      ...invalid('Write operation on uninitialized share partition not allowed.'),
    });
    expect(await summary(group, topicId, { partition: 0, leaderEpoch: 0 })).toEqual({
      partition: 0,
      ...OK,
      stateEpoch: 0,
      leaderEpoch: 0,
      startOffset: -1,
      deliveryCompleteCount: -1,
    });
    expect(await remove(group, topicId, { partition: 0 })).toEqual({ partition: 0, ...OK });
    const begun = { partition: 0, stateEpoch: 1, startOffset: -1 };
    expect(await initialize(group, topicId, begun)).toEqual({ partition: 0, ...OK });
    expect(await read(group, topicId, { partition: 0, leaderEpoch: 0 })).toEqual({
      partition: 0,
      ...OK,
      stateEpoch: 1,
      startOffset: -1,
      stateBatches: [],
    });
    expect(await summary(group, topicId, { partition: 0, leaderEpoch: 0 })).toMatchObject({
      stateEpoch: 1,
      startOffset: -1,
      deliveryCompleteCount: -1,
    });
  });

  it('keeps what is written, combined', async () => {
    const group = uniqueName('combine');
    await initialize(group, topicId, { partition: 1, stateEpoch: 1, startOffset: 10 });
    const stateBatches = [batch(10, 14, 2, 1), batch(15, 15, 0, 1), batch(16, 20, 2, 1)];
    expect(await write(group, topicId, { partition: 1, ...WRITE, startOffset: 10, stateBatches })).toEqual({
      partition: 1,
      ...OK,
    });
    const later = [batch(13, 17, 2, 2), batch(21, 22, 2, 1)];
    await write(group, topicId, {
      partition: 1,
      ...WRITE,
      startOffset: 12,
      deliveryCompleteCount: 4,
      stateBatches: later,
    });
    expect(await read(group, topicId, { partition: 1, leaderEpoch: 2 })).toEqual({
      partition: 1,
      ...OK,
      stateEpoch: 1,
      startOffset: 12,
      stateBatches: [batch(12, 12, 2, 1), batch(13, 17, 2, 2), batch(18, 22, 2, 1)],
    });
    expect(await summary(group, topicId, { partition: 1, leaderEpoch: 2 })).toEqual({
      partition: 1,
      ...OK,
      stateEpoch: 1,
      leaderEpoch: 2,
      startOffset: 12,
      deliveryCompleteCount: 4,
    });
    await write(group, topicId, { partition: 1, ...WRITE, startOffset: -1, stateBatches: [] });
    expect(await read(group, topicId, { partition: 1, leaderEpoch: -1 })).toMatchObject({ startOffset: 12 });
  });

  it('fences leaders and initializations that are behind', async () => {
    const group = uniqueName('fence');
    await initialize(group, topicId, { partition: 2, stateEpoch: 5, startOffset: 0 });
    expect(await read(group, topicId, { partition: 2, leaderEpoch: 7 })).toMatchObject(OK);
    expect(await read(group, topicId, { partition: 2, leaderEpoch: 6 })).toEqual({
      partition: 2,
      ...FENCED_LEADER,
      ...NO_STATE,
    });
    expect(await write(group, topicId, { partition: 2, ...WRITE, leaderEpoch: 6 })).toEqual({
      partition: 2,
      ...FENCED_LEADER,
    });
    const behind = { partition: 2, ...WRITE, leaderEpoch: 7, stateEpoch: 4 };
    expect(await write(group, topicId, behind)).toEqual({ partition: 2, ...FENCED_STATE });
    expect(await initialize(group, topicId, { partition: 2, stateEpoch: 4, startOffset: 0 })).toEqual({
      partition: 2,
      ...FENCED_STATE,
    });
    expect(await write(group, topicId, { partition: 2, ...WRITE, leaderEpoch: -1, stateEpoch: -1 })).toMatchObject(OK);
    expect(await write(group, topicId, { partition: 2, ...WRITE, leaderEpoch: 9, stateEpoch: 9 })).toMatchObject(OK);
    expect(await summary(group, topicId, { partition: 2, leaderEpoch: 0 })).toMatchObject({
      leaderEpoch: 7,
      stateEpoch: 5,
    });
    await initialize(group, topicId, { partition: 2, stateEpoch: 6, startOffset: 3 });
    expect(await summary(group, topicId, { partition: 2, leaderEpoch: 0 })).toMatchObject({
      leaderEpoch: 0,
      stateEpoch: 6,
      startOffset: 3,
      deliveryCompleteCount: 0,
    });
    expect(await read(group, topicId, { partition: 2, leaderEpoch: 6 })).toMatchObject(FENCED_LEADER);
    expect(await remove(group, topicId, { partition: 2 })).toEqual({ partition: 2, ...OK });
    expect(await initialize(group, topicId, { partition: 2, stateEpoch: 0, startOffset: 0 })).toMatchObject(OK);
  });

  describe('refuses', () => {
    const calls = { initialize, read, write, remove, summary };
    const more = { stateEpoch: 0, leaderEpoch: 0, startOffset: 0, deliveryCompleteCount: -1, stateBatches: [] };

    it.each(['initialize', 'remove', 'summary'] as const)('to %s what does not exist', async (name) => {
      const call = (topic: string, partition: number) => calls[name](groupId, topic, { ...more, partition });
      expect(await call(topicId, 3)).toMatchObject(UNKNOWN);
      expect(await call(NOBODY, 0)).toMatchObject(UNKNOWN);
      expect(await call(topicId, -1)).toMatchObject(NEGATIVE);
    });

    it.each(['read', 'write'] as const)('to %s what does not exist', async (name) => {
      const call = (topic: string, partition: number) => calls[name](groupId, topic, { ...more, partition });
      expect((await call(NOBODY, 0)).errorCode).toBe(ErrorCode.INVALID_REQUEST);
      expect(await call(topicId, -1)).toMatchObject(NEGATIVE);
    });
  });

  it('answers a request for nothing with nothing', async () => {
    const none = { results: [] };
    const noPartitions = { groupId, topics: [{ topicId, partitions: [] }] };
    for (const [api, version] of [
      [readShareGroupState, 0],
      [writeShareGroupState, 1],
      [deleteShareGroupState, 0],
      [readShareGroupStateSummary, 1],
    ] as const) {
      expect(await client.request(api, version, { groupId, topics: [] })).toEqual(none);
      expect(await client.request(api, version, noPartitions)).toEqual(none);
      const nameless = { groupId: '', topics: [{ topicId, partitions: [{ partition: 0 }] }] };
      expect(await client.request(api, version, nameless)).toEqual(none);
    }
    expect(await client.request(initializeShareGroupState, 0, noPartitions)).toEqual(none);
  });
});

const NO_STATE = { stateEpoch: 0, startOffset: 0, stateBatches: [] };
const WRITE = { stateEpoch: 1, leaderEpoch: 0, startOffset: 0, deliveryCompleteCount: 0, stateBatches: [] };
const batch = (firstOffset: number, lastOffset: number, deliveryState: number, deliveryCount: number) => ({
  firstOffset,
  lastOffset,
  deliveryState,
  deliveryCount,
});

const wanted = <P>(groupId: string, topicId: string, partition: P) => ({
  groupId,
  topics: [{ topicId, partitions: [partition] }],
});

const NOT_YET: readonly number[] = [ErrorCode.NOT_COORDINATOR, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS];

/** The result for the one partition, once its coordinator has been loaded: Kafka answers before that. */
const served = async <R extends { errorCode: number }>(
  ask: () => Promise<{ results: { partitions: R[] }[] }>,
): Promise<R> => {
  const answers: R[] = [];
  await eventually(async () => {
    answers.unshift((await ask()).results[0].partitions[0]);
    return !NOT_YET.includes(answers[0].errorCode);
  });
  return answers[0];
};
