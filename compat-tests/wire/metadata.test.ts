import { expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { MetadataRequest, MetadataResponse } from '../../protocol/messages/03-metadata.ts';
import type { InputOf } from '../../protocol/schema.ts';
import { ZERO_UUID } from '../../protocol/uuid.ts';
import { NOT_ASKED, TOPIC_OPERATIONS } from '../../src/security/authorized-operations.ts';
import { describeBrokers } from '../describe-brokers.ts';
import { uniqueName } from '../helpers.ts';
import { clientOfEachTest, newTopics } from './hand-made.ts';

const Metadata = { request: MetadataRequest, response: MetadataResponse };

type Wanted = NonNullable<InputOf<typeof MetadataRequest>['topics']>;

const NO_SUCH_ID = 'AAAAAAAAAAAAAAAAAAAAEQ';

describeBrokers('Metadata', (broker) => {
  const client = clientOfEachTest(broker);

  const ask = (version: number, topics: Wanted, allowAutoTopicCreation = false) =>
    client.request(Metadata, version, { topics, allowAutoTopicCreation });

  async function newTopic(): Promise<{ topic: string; id: string }> {
    const topic = uniqueName('metadata');
    await newTopics(broker, { topic, numPartitions: 1 });
    const { topics } = await ask(12, [{ name: topic }]);
    return { topic, id: topics[0].topicId };
  }

  const codes = (topics: readonly { name: string | null; errorCode: number }[]) =>
    Object.fromEntries(topics.map(({ name, errorCode }) => [name, errorCode]));

  it('creates nothing of the name of the metadata log, nor of one that no topic can have', async () => {
    const wanted = ['__cluster_metadata', 'a b', '', '..', 'x'.repeat(250)];
    const expected = {
      ...Object.fromEntries(wanted.map((name) => [name, ErrorCode.INVALID_TOPIC_EXCEPTION])),
      __cluster_metadata: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    };
    for (let time = 0; time < 2; time++) {
      const { topics } = await ask(
        12,
        wanted.map((name) => ({ name })),
        true,
      );
      expect(codes(topics)).toEqual(expected);
    }
  });

  it('knows no topic whose name would collide with that of another', async () => {
    const { topic } = await newTopic();
    await newTopics(broker, { topic: `${topic}.x`, numPartitions: 1 });
    const name = `${topic}_x`;
    for (let time = 0; time < 2; time++) {
      const { topics } = await ask(12, [{ name }], true);
      expect(codes(topics)).toEqual({ [name]: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION });
    }
  });

  it('tells of each topic once', async () => {
    const { topic, id } = await newTopic();
    expect((await ask(12, [{ name: topic }, { name: topic }])).topics).toHaveLength(1);
    const { topics } = await ask(12, [{ name: null, topicId: id }, { name: null, topicId: id }, { name: topic }]);
    expect(codes(topics)).toEqual({ [topic]: ErrorCode.NONE });
  });

  it.each([10, 11])('refuses ids and missing names in version %d', async (version) => {
    const { topic, id } = await newTopic();
    const asked: Wanted[] = [
      [{ name: null, topicId: id }],
      [{ name: topic, topicId: id }],
      [{ name: null, topicId: NO_SUCH_ID }],
      [{ name: null, topicId: ZERO_UUID }],
      [{ name: topic }, { name: null, topicId: id }],
    ];
    for (const wanted of asked) {
      const { brokers, controllerId, topics } = await ask(version, wanted);
      expect({ brokers, controllerId }).toEqual({ brokers: [], controllerId: -1 });
      const expected = wanted.map(({ name, topicId = ZERO_UUID }) => [name ?? '', topicId, ErrorCode.INVALID_REQUEST]);
      const told = topics.map((t) => [t.name, t.topicId, t.errorCode]);
      expect(told.sort()).toEqual(expected.sort());
    }
  });

  it.each([12, 13])('fails for a topic with neither name nor id in version %d', async (version) => {
    const { topic } = await newTopic();
    for (const beside of [[], [{ name: topic }, { name: '__consumer_offsets' }]]) {
      const response = await ask(version, [{ name: null, topicId: ZERO_UUID }, ...beside]);
      const { brokers, controllerId, topics } = response;
      expect({ brokers, controllerId }).toEqual({ brokers: [], controllerId: -1 });
      if (version >= 13) expect(response.errorCode).toBe(ErrorCode.UNKNOWN_SERVER_ERROR);
      const names = ['', ...beside.map(({ name }) => name)];
      expect(codes(topics)).toEqual(Object.fromEntries(names.map((name) => [name, ErrorCode.UNKNOWN_SERVER_ERROR])));
      expect(topics.map((t) => [t.topicId, t.isInternal])).toEqual(names.map(() => [ZERO_UUID, false]));
    }
  });

  it.each([12, 13])('finds topics by id in version %d, whatever is named beside', async (version) => {
    const { topic, id } = await newTopic();
    const { brokers, topics } = await ask(version, [
      { name: 'other', topicId: id },
      { name: topic },
      { name: topic, topicId: NO_SUCH_ID },
    ]);
    expect(brokers).toHaveLength(1);
    const told = Object.fromEntries(topics.map((t) => [t.topicId, [t.name, t.errorCode]]));
    expect(told).toEqual({ [id]: [topic, ErrorCode.NONE], [NO_SUCH_ID]: [null, ErrorCode.UNKNOWN_TOPIC_ID] });
  });

  it.each([8, 10, 13])('says in version %d what one may do to a topic, be it there or not', async (version) => {
    const { topic } = await newTopic();
    const names = [topic, uniqueName('missing'), 'a b'];
    const request = { topics: names.map((name) => ({ name })), includeTopicAuthorizedOperations: true };
    const { topics } = await client.request(Metadata, version, { ...request, allowAutoTopicCreation: false });
    const told = Object.fromEntries(topics.map((t) => [t.name, t.topicAuthorizedOperations]));
    expect(told).toEqual(Object.fromEntries(names.map((name) => [name, TOPIC_OPERATIONS])));
  });

  it('does not say it of an id that no topic has', async () => {
    const topics = [{ name: null, topicId: NO_SUCH_ID }];
    const response = await client.request(Metadata, 12, { topics, includeTopicAuthorizedOperations: true });
    expect(response.topics[0].topicAuthorizedOperations).toBe(NOT_ASKED);
  });
});
