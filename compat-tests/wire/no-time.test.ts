import { beforeEach, expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { CreateTopicsRequest, CreateTopicsResponse } from '../../protocol/messages/19-create-topics.ts';
import { DeleteTopicsRequest, DeleteTopicsResponse } from '../../protocol/messages/20-delete-topics.ts';
import { CreatePartitionsRequest, CreatePartitionsResponse } from '../../protocol/messages/37-create-partitions.ts';
import { ElectLeadersRequest, ElectLeadersResponse } from '../../protocol/messages/43-elect-leaders.ts';
import {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse,
} from '../../protocol/messages/45-alter-partition-reassignments.ts';
import { describeBrokers } from '../describe-brokers.ts';
import { uniqueName } from '../helpers.ts';
import { clientOfEachTest } from './hand-made.ts';

const CreateTopics = { request: CreateTopicsRequest, response: CreateTopicsResponse };
const DeleteTopics = { request: DeleteTopicsRequest, response: DeleteTopicsResponse };
const CreatePartitions = { request: CreatePartitionsRequest, response: CreatePartitionsResponse };
const ElectLeaders = { request: ElectLeadersRequest, response: ElectLeadersResponse };
const Reassign = { request: AlterPartitionReassignmentsRequest, response: AlterPartitionReassignmentsResponse };

const ID = 'AAAAAAAAAAAAAAAAAAAAEQ';
const timedOut = { errorCode: ErrorCode.REQUEST_TIMED_OUT, errorMessage: null };
const invalid = (errorMessage: string) => ({ errorCode: ErrorCode.INVALID_REQUEST, errorMessage });

/** kafka-go asks so where its user sets no timeout. */
describeBrokers('requests that leave the controller no time', (broker) => {
  const client = clientOfEachTest(broker);
  let name: string;
  beforeEach(() => {
    name = uniqueName('no-time');
  });

  const elect = (version: number, topicPartitions: { topic: string; partitions: number[] }[] | null, timeoutMs = 0) =>
    client.request(ElectLeaders, version, { topicPartitions, timeoutMs });
  const create = async (...names: string[]) => {
    const topics = names.map((one) => ({ name: one, numPartitions: 1, replicationFactor: 1 }));
    return (await client.request(CreateTopics, 7, { topics, timeoutMs: 0 })).topics;
  };
  const grow = async (...names: string[]) => {
    const topics = names.map((one) => ({ name: one, count: 3 }));
    return (await client.request(CreatePartitions, 3, { topics, timeoutMs: 0 })).results;
  };
  const remove = async (...topics: { name: string | null; topicId?: string }[]) =>
    (await client.request(DeleteTopics, 6, { topics, timeoutMs: 0 })).responses;

  it.each([0, 1, 2])(
    'elect no leader, and say so of each partition and, since version 1, of the whole (%d)',
    async (v) => {
      for (const timeoutMs of [0, -1]) {
        const { errorCode, replicaElectionResults } = await elect(v, [{ topic: name, partitions: [0, 1] }], timeoutMs);
        expect(errorCode).toBe(v === 0 ? ErrorCode.NONE : ErrorCode.REQUEST_TIMED_OUT);
        const partitionResult = [0, 1].map((partitionId) => ({ partitionId, ...timedOut }));
        expect(replicaElectionResults).toEqual([{ topic: name, partitionResult }]);
      }
    },
  );

  it('elect no leader of any partition', async () => {
    const whole = { errorCode: ErrorCode.REQUEST_TIMED_OUT, replicaElectionResults: [] };
    expect(await elect(2, null)).toMatchObject(whole);
    expect(await elect(2, [])).toMatchObject({ ...whole, errorCode: ErrorCode.NONE });
  });

  it('move no partition, and say so of the whole and of each', async () => {
    const partitions = [
      { partitionIndex: 0, replicas: [1] },
      { partitionIndex: 1, replicas: null },
    ];
    const response = await client.request(Reassign, 1, { topics: [{ name, partitions }], timeoutMs: 0 });
    const answers = [0, 1].map((partitionIndex) => ({ partitionIndex, ...timedOut }));
    expect(response).toMatchObject({ ...timedOut, responses: [{ name, partitions: answers }] });
    const nothing = await client.request(Reassign, 1, { topics: [], timeoutMs: 0 });
    expect(nothing).toMatchObject({ errorCode: ErrorCode.NONE, responses: [] });
  });

  it('create no topic; what is refused before is refused as ever, where nothing else is asked for', async () => {
    expect(await create(name, 'a b', name)).toMatchObject(
      [name, 'a b', name].map((one) => ({ name: one, ...timedOut })),
    );
    expect(await create(name, name)).toMatchObject([{ name, ...invalid('Duplicate topic name.') }]);
    expect(await create('__cluster_metadata')).toMatchObject([
      invalid('Creation of internal topic __cluster_metadata is prohibited.'),
    ]);
    expect(await create('__cluster_metadata', name)).toMatchObject([timedOut, timedOut]);
    expect(await create()).toEqual([]);
  });

  it('create no partitions; what is refused before is refused as ever, where nothing else is asked for', async () => {
    const other = `${name}-other`;
    expect(await grow(name, other, name)).toMatchObject([name, other, name].map((one) => ({ name: one, ...timedOut })));
    expect(await grow(name, name)).toMatchObject([{ name, ...invalid('Duplicate topic name.') }]);
  });

  it('delete no topic; what is refused before is refused as ever, where nothing else is asked for', async () => {
    const byId = { name: null, topicId: ID };
    expect(await remove({ name }, byId)).toMatchObject([
      { name, ...timedOut },
      { ...byId, ...timedOut },
    ]);
    expect(await remove({ name }, { name }, byId)).toMatchObject([timedOut, timedOut, timedOut]);
    expect(await remove({ name }, { name })).toMatchObject([{ name, ...invalid('Duplicate topic name.') }]);
    expect(await remove(byId, byId)).toMatchObject([{ ...byId, ...invalid('Duplicate topic id.') }]);
    expect(await remove({ name: null })).toMatchObject([invalid('Neither topic name nor id were specified.')]);
    expect(await remove({ name, topicId: ID })).toMatchObject([
      invalid('You may not specify both topic name and topic id.'),
    ]);
    expect(await remove()).toEqual([]);
  });
});
