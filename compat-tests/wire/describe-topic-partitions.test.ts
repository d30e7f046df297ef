import { beforeEach, expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import {
  DescribeTopicPartitionsRequest,
  DescribeTopicPartitionsResponse,
} from '../../protocol/messages/75-describe-topic-partitions.ts';
import type { InputOf } from '../../protocol/schema.ts';
import { ZERO_UUID } from '../../protocol/uuid.ts';
import { describeBrokers } from '../describe-brokers.ts';
import { uniqueName } from '../helpers.ts';
import { clientOfEachTest, newTopics } from './hand-made.ts';

const Describe = { request: DescribeTopicPartitionsRequest, response: DescribeTopicPartitionsResponse };

type Cursor = NonNullable<InputOf<typeof DescribeTopicPartitionsRequest>['cursor']>;

const TOPIC_OPERATIONS = 3576;
const NOT_TOLD = -2147483648;

describeBrokers('DescribeTopicPartitions', (broker) => {
  const client = clientOfEachTest(broker);

  const A = uniqueName('a');
  const between = `${A}-unknown`;
  const B = uniqueName('b');

  async function ask(names: string[], limit: number, cursor: Cursor | null = null) {
    const { topics, nextCursor } = await client.request(Describe, 0, {
      topics: names.map((name) => ({ name })),
      responsePartitionLimit: limit,
      cursor,
    });
    const next = nextCursor === null ? null : `${nextCursor.topicName}-${nextCursor.partitionIndex}`;
    const told = topics.map((t) => [t.name, t.errorCode || t.partitions.map((p) => p.partitionIndex)]);
    return { topics, told, next };
  }

  beforeEach(() => newTopics(broker, { topic: A, numPartitions: 3 }, { topic: B, numPartitions: 2 }));

  const unknown = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;

  it('gives pages of partitions, which unknown topics do not use up', async () => {
    expect(await ask([between, B], 1)).toMatchObject({
      told: [
        [between, unknown],
        [B, [0]],
      ],
      next: `${B}-1`,
    });
    expect(await ask([B, between, A], 4)).toMatchObject({
      told: [
        [A, [0, 1, 2]],
        [between, unknown],
        [B, [0]],
      ],
      next: `${B}-1`,
    });
    expect(await ask([A, between, B], 3)).toMatchObject({ told: [[A, [0, 1, 2]]], next: `${between}-0` });
    const unknowns = [between, `${between}-2`, `${between}-3`];
    expect(await ask(unknowns, 1)).toMatchObject({ told: unknowns.map((name) => [name, unknown]), next: null });
  });

  it('goes on at the cursor', async () => {
    const at = (topicName: string, partitionIndex: number) => ({ topicName, partitionIndex });
    expect(await ask([A, B], 9, at(A, 1))).toMatchObject({
      told: [
        [A, [1, 2]],
        [B, [0, 1]],
      ],
      next: null,
    });
    expect(await ask([A, B], 1, at(A, 99))).toMatchObject({
      told: [
        [A, []],
        [B, [0]],
      ],
      next: `${B}-1`,
    });
    expect(await ask([between, B], 9, at(between, 5))).toMatchObject({
      told: [
        [between, unknown],
        [B, [0, 1]],
      ],
    });
  });

  it.each<[string, Cursor]>([
    ['before a partition', { topicName: A, partitionIndex: -1 }],
    ['between the topics asked for', { topicName: between, partitionIndex: 0 }],
    ['behind them', { topicName: 'zzzz', partitionIndex: 0 }],
    ['of no name', { topicName: '', partitionIndex: 0 }],
  ])('refuses a cursor %s', async (_where, cursor) => {
    const { topics, told, next } = await ask([B, A], 9, cursor);
    expect({ told, next }).toEqual({
      told: [
        [B, ErrorCode.INVALID_REQUEST],
        [A, ErrorCode.INVALID_REQUEST],
      ],
      next: null,
    });
    for (const topic of topics)
      expect(topic).toMatchObject({ topicId: ZERO_UUID, topicAuthorizedOperations: NOT_TOLD });
  });

  it('tells names that no topic can have from those that none has', async () => {
    for (const name of ['a b', '.', '..', 'é', 'x'.repeat(250)]) {
      expect((await ask([name], 9)).told).toEqual([[name, ErrorCode.INVALID_TOPIC_EXCEPTION]]);
    }
    const { topics } = await ask([between], 9);
    expect(topics[0]).toMatchObject({ errorCode: unknown, topicAuthorizedOperations: TOPIC_OPERATIONS });
    const withEmpty = await ask([A, ''], 9);
    expect(withEmpty.told).toEqual([
      [A, ErrorCode.UNKNOWN_SERVER_ERROR],
      ['', ErrorCode.UNKNOWN_SERVER_ERROR],
    ]);
  });
});
