import { expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { ListOffsetsRequest, ListOffsetsResponse } from '../../protocol/messages/02-list-offsets.ts';
import { MetadataRequest, MetadataResponse } from '../../protocol/messages/03-metadata.ts';
import { FindCoordinatorRequest, FindCoordinatorResponse } from '../../protocol/messages/10-find-coordinator.ts';
import { DeleteTopicsRequest, DeleteTopicsResponse } from '../../protocol/messages/20-delete-topics.ts';
import {
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse,
} from '../../protocol/messages/23-offset-for-leader-epoch.ts';
import {
  AlterReplicaLogDirsRequest,
  AlterReplicaLogDirsResponse,
} from '../../protocol/messages/34-alter-replica-log-dirs.ts';
import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../protocol/messages/44-incremental-alter-configs.ts';
import {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse,
} from '../../protocol/messages/45-alter-partition-reassignments.ts';
import { DescribeProducersRequest, DescribeProducersResponse } from '../../protocol/messages/61-describe-producers.ts';
import { describeBrokers } from '../describe-brokers.ts';
import { uniqueName } from '../helpers.ts';
import { clientOfEachTest, newTopics } from './hand-made.ts';

const Metadata = { request: MetadataRequest, response: MetadataResponse };
const DeleteTopics = { request: DeleteTopicsRequest, response: DeleteTopicsResponse };
const ListOffsets = { request: ListOffsetsRequest, response: ListOffsetsResponse };
const EpochEnd = { request: OffsetForLeaderEpochRequest, response: OffsetForLeaderEpochResponse };
const MoveReplicas = { request: AlterReplicaLogDirsRequest, response: AlterReplicaLogDirsResponse };
const AlterConfigs = { request: IncrementalAlterConfigsRequest, response: IncrementalAlterConfigsResponse };
const Reassign = { request: AlterPartitionReassignmentsRequest, response: AlterPartitionReassignmentsResponse };
const DescribeProducers = { request: DescribeProducersRequest, response: DescribeProducersResponse };
const FindCoordinator = { request: FindCoordinatorRequest, response: FindCoordinatorResponse };

const TOPIC = 2;
const BROKER = 4;
const GROUP = 32;

describeBrokers('requests that no client should send', (broker) => {
  const client = clientOfEachTest(broker);

  async function newTopic(): Promise<string> {
    const topic = uniqueName('odd');
    await newTopics(broker, { topic, numPartitions: 1 });
    return topic;
  }

  async function describeTopic(name: string) {
    const body = { topics: [{ name }], allowAutoTopicCreation: false };
    return (await client.request(Metadata, 12, body)).topics[0];
  }

  it('delete no topic that is named by name and by id', async () => {
    const name = await newTopic();
    const { topicId } = await describeTopic(name);
    for (const topics of [
      [{ name }, { name: null, topicId }],
      [{ name: null, topicId }, { name }],
    ]) {
      const { responses } = await client.request(DeleteTopics, 6, { topics, timeoutMs: 5000 });
      const errorMessage = 'The provided topic name maps to an ID that was already supplied.';
      expect(responses).toMatchObject([{ name, topicId, errorCode: ErrorCode.INVALID_REQUEST, errorMessage }]);
      expect(responses).toHaveLength(1);
    }
    expect((await describeTopic(name)).errorCode).toBe(ErrorCode.NONE);
  });

  it('move a partition that is named twice to the last directory, and tell of no topic without partitions', async () => {
    const name = await newTopic();
    const other = uniqueName('other');
    const { results } = await client.request(MoveReplicas, 2, {
      dirs: [
        { path: '/no/such/directory', topics: [{ name, partitions: [0] }] },
        { path: 'not absolute', topics: [{ name, partitions: [0, 0] }] },
        { path: '/no/such/directory', topics: [{ name: other, partitions: [] }] },
      ],
    });
    const partitions = [{ partitionIndex: 0, errorCode: ErrorCode.LOG_DIR_NOT_FOUND }];
    expect(results).toEqual([{ topicName: name, partitions }]);
  });

  it('are fenced by a leader epoch below -1', async () => {
    const name = await newTopic();
    const errors = [-1, -2, -100].map(async (currentLeaderEpoch) => {
      const listed = await client.request(ListOffsets, 11, {
        replicaId: -1,
        topics: [{ name, partitions: [{ partitionIndex: 0, currentLeaderEpoch, timestamp: -1 }] }],
      });
      const ended = await client.request(EpochEnd, 4, {
        replicaId: -1,
        topics: [{ topic: name, partitions: [{ partition: 0, currentLeaderEpoch, leaderEpoch: 0 }] }],
      });
      return [listed.topics[0].partitions[0].errorCode, ended.topics[0].partitions[0].errorCode];
    });
    const fenced = ErrorCode.FENCED_LEADER_EPOCH;
    expect(await Promise.all(errors)).toEqual([
      [0, 0],
      [fenced, fenced],
      [fenced, fenced],
    ]);
  });

  it('ask for producers of partitions that are not there', async () => {
    const name = await newTopic();
    const ask = async (topic: string) => {
      const topics = [{ name: topic, partitionIndexes: [7] }];
      const { errorCode, errorMessage } = (await client.request(DescribeProducers, 0, { topics })).topics[0]
        .partitions[0];
      return [errorCode, errorMessage];
    };
    const unknown = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    expect(await ask(name)).toEqual([unknown, null]);
    expect(await ask(`${name}-x`)).toEqual([unknown, 'This server does not host this topic-partition.']);
    const [code, text] = await ask('a b');
    expect(code).toBe(ErrorCode.INVALID_TOPIC_EXCEPTION);
    expect(text).toMatch(/^Topic name is invalid: 'a b' contains/);
  });

  it('reassign nothing', async () => {
    const response = await client.request(Reassign, 1, { topics: [], timeoutMs: 5000 });
    expect(response).toMatchObject({ errorCode: 0, errorMessage: '', responses: [] });
  });

  it.each([4, 5, 6])('find no coordinator for a key that names no share partition, version %d', async (version) => {
    for (const key of ['foo', '', 'g:x:0', ':AAAAAAAAAAAAAAAAAAAAEQ:0']) {
      const { coordinators } = await client.request(FindCoordinator, version, { keyType: 2, coordinatorKeys: [key] });
      expect(coordinators).toMatchObject([{ key, errorCode: ErrorCode.INVALID_REQUEST, errorMessage: '' }]);
    }
  });

  type Alteration = [type: number, resource: string, name: string, operation: number, value: string];

  async function alter(...alterations: Alteration[]) {
    const resources = alterations.map(([resourceType, resourceName, name, configOperation, value]) => ({
      resourceType,
      resourceName,
      configs: [{ name, configOperation, value }],
    }));
    const { responses } = await client.request(AlterConfigs, 1, { resources, validateOnly: true });
    const byType = responses.sort((a, b) => a.resourceType - b.resourceType);
    return byType.map(({ errorCode, errorMessage }) => [errorCode, errorMessage]);
  }

  it('alter by an operation that does not exist', async () => {
    const failed = [ErrorCode.UNKNOWN_SERVER_ERROR, null];
    const topic = await newTopic();
    for (const operation of [9, -1]) {
      expect(await alter([TOPIC, topic, 'retention.ms', operation, '5'])).toEqual([failed]);
      const refused = [ErrorCode.INVALID_REQUEST, `Unknown operations type ${operation}`];
      expect(await alter([BROKER, '', 'log.retention.ms', operation, '5'])).toEqual([refused]);
      const group: Alteration = [GROUP, 'g', 'consumer.session.timeout.ms', operation, '50000'];
      expect(await alter([TOPIC, topic, 'retention.ms', 0, '5'], group)).toEqual([failed, failed]);
    }
  });

  it.each<[string, string, string | null]>([
    ['metric.reporters', 'foo.Bar', 'of Set(metric.reporters) failed'],
    ['metric.reporters', '', null],
    ['metric.reporters', 'org.apache.kafka.common.metrics.JmxReporter', null],
    ['max.connections.per.ip.overrides', '127.0.0.1:-1, b: +5', null],
    ['max.connections.per.ip.overrides', '127.0.0.1:x', 'For input string: "x"'],
    ['max.connections.per.ip.overrides', '127.0.0.1:99999999999', 'For input string: "99999999999"'],
    ['max.connections.per.ip.overrides', 'a b:5', 'contains invalid addresses : a b'],
    ['log.cleaner.min.cleanable.ratio', '0x1p-2', null],
  ])('set %s of all brokers to %s', async (name, value, text) => {
    const [[code, message]] = await alter([BROKER, '', name, 0, value]);
    expect(code).toBe(text === null ? ErrorCode.NONE : ErrorCode.INVALID_REQUEST);
    if (text === null) expect(message).toBeNull();
    else expect(message).toContain(text);
  });

  it.each(['principal.builder.class', 'listener.name.plaintext.principal.builder.class'])(
    'set %s to a class that is not there',
    async (name) => {
      const nodeId = (await client.request(Metadata, 12, { topics: [] })).brokers[0].nodeId;
      const message = 'Invalid value foo for configuration principal.builder.class: Class foo could not be found.';
      expect(await alter([BROKER, String(nodeId), name, 0, 'foo'])).toEqual([[ErrorCode.INVALID_REQUEST, message]]);
    },
  );

  it.each([
    ['0x1p-2', ErrorCode.NONE],
    ['0x1.8P-2d', ErrorCode.NONE],
    ['0x.8p0', ErrorCode.NONE],
    ['0x1', ErrorCode.INVALID_CONFIG],
    ['0x.p1', ErrorCode.INVALID_CONFIG],
    ['-0x1p-2', ErrorCode.INVALID_CONFIG],
  ])('set a ratio to %s', async (value, code) => {
    expect((await alter([TOPIC, await newTopic(), 'min.cleanable.dirty.ratio', 0, value]))[0][0]).toBe(code);
  });
});
