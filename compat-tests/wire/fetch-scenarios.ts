import { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts';
import { FetchRequest, FetchResponse } from '../../protocol/messages/01-fetch.ts';
import type { InputOf } from '../../protocol/schema.ts';
import { eventually, uniqueName } from '../helpers.ts';
import { oneRecord, type Recording } from './recording.ts';

const Produce = { request: ProduceRequest, response: ProduceResponse };
const Fetch = { request: FetchRequest, response: FetchResponse };
type Body = InputOf<typeof FetchRequest>;
type Wanted = Partial<NonNullable<NonNullable<NonNullable<Body['topics']>[number]['partitions']>[number]>>;

const NO_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAA';
const TOPIC_IDS_SINCE = 13;

/** Two partitions, the first of which has three batches of one record. */
async function filledTopic(r: Recording, standIn = 't') {
  const name = uniqueName('fetched');
  const topicId = await r.topic(name, standIn);
  for (let i = 0; i < 3; i++) {
    const topicData = [{ name, partitionData: [{ index: 0, records: oneRecord() }] }];
    await r.client.request(Produce, 9, { acks: -1, timeoutMs: 5000, topicData });
  }
  return { name, topicId };
}
type Topic = Awaited<ReturnType<typeof filledTopic>>;

const partition = (more: Wanted = {}) => ({ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20, ...more });
const named = (version: number, { name, topicId }: Topic, ...partitions: Wanted[]) => ({
  ...(version >= TOPIC_IDS_SINCE ? { topicId } : { topic: name }),
  partitions: partitions.map(partition),
});
const body = (topics: Body['topics'], more: Body = {}): Body => ({ maxWaitMs: 0, minBytes: 0, topics, ...more });

/** What Kafka answers to right and wrong fetches. */
export const fetches: Record<string, (r: Recording) => Promise<void>> = {
  async lastFetchedEpochs(r) {
    const topic = await filledTopic(r);
    for (const version of [12, 17]) {
      const ask = (what: string, wanted: Wanted) => r.ask(what, Fetch, version, body([named(version, topic, wanted)]));
      await ask('the epoch of the log', { fetchOffset: 2, lastFetchedEpoch: 0 });
      await ask('at the end', { fetchOffset: 3, lastFetchedEpoch: 0 });
      await ask('beyond the end', { fetchOffset: 4, lastFetchedEpoch: 0 });
      await ask('beyond the end, no epoch', { fetchOffset: 4 });
      await ask('an epoch ahead of the log', { fetchOffset: 1, lastFetchedEpoch: 1 });
      await ask('an epoch ahead of the log, beyond the end', { fetchOffset: 4, lastFetchedEpoch: 1 });
      await ask('a negative epoch', { fetchOffset: 1, lastFetchedEpoch: -5 });
      await ask('a negative offset', { fetchOffset: -1, lastFetchedEpoch: 0 });
      await ask('of an empty partition', { partition: 1, fetchOffset: 0, lastFetchedEpoch: 0 });
      await ask('beyond the end of an empty partition', { partition: 1, fetchOffset: 1, lastFetchedEpoch: 0 });
    }
  },

  async followers(r) {
    const topic = await filledTopic(r);
    for (const replicaId of [-3, -2, 0, 1, 5]) {
      for (const version of [11, 14]) {
        const request = body([named(version, topic, {}, { partition: 9 })], { replicaId });
        await r.ask(`replica ${replicaId}`, Fetch, version, request);
      }
      for (const version of [15, 17]) {
        const replicaState = { replicaId, replicaEpoch: 1 };
        await r.ask(`replica ${replicaId}`, Fetch, version, body([named(version, topic, {})], { replicaState }));
      }
    }
  },

  async limits(r) {
    const topic = await filledTopic(r);
    for (const version of [11, 17]) {
      for (const partitionMaxBytes of [-1, 0, 1]) {
        const request = body([named(version, topic, { partitionMaxBytes }, { partition: 1, partitionMaxBytes })]);
        await r.ask(`partitionMaxBytes ${partitionMaxBytes}`, Fetch, version, request);
      }
      for (const maxBytes of [-1, 0, 1]) {
        await r.ask(`maxBytes ${maxBytes}`, Fetch, version, body([named(version, topic, {})], { maxBytes }));
      }
      for (const minBytes of [-1, 1]) {
        await r.ask(`minBytes ${minBytes}`, Fetch, version, body([named(version, topic, {})], { minBytes }));
      }
      await r.ask(
        'partitionMaxBytes -1, at the end',
        Fetch,
        version,
        body([named(version, topic, { partitionMaxBytes: -1, fetchOffset: 3 })]),
      );
      await r.ask(
        'partitionMaxBytes -1, beyond the end',
        Fetch,
        version,
        body([named(version, topic, { partitionMaxBytes: -1, fetchOffset: 7 })]),
      );
      await r.ask(
        'partitionMaxBytes -1 second',
        Fetch,
        version,
        body([named(version, topic, { partition: 1 }, { partitionMaxBytes: -1 })]),
      );
      await r.ask(
        'maxBytes -1, nothing there',
        Fetch,
        version,
        body([named(version, topic, { partition: 1 })], { maxBytes: -1 }),
      );
    }
  },

  async isolationLevels(r) {
    const topic = await filledTopic(r);
    for (const version of [11, 17]) {
      for (const isolationLevel of [-1, 0, 1, 2, 9]) {
        await r.ask(
          `isolation ${isolationLevel}`,
          Fetch,
          version,
          body([named(version, topic, {}, { partition: 9 })], { isolationLevel }),
        );
      }
      const wanted = [{ fetchOffset: 9 }, { partition: 1, currentLeaderEpoch: 9 }];
      for (const isolationLevel of [0, 1]) {
        await r.ask(
          `errors, isolation ${isolationLevel}`,
          Fetch,
          version,
          body([named(version, topic, ...wanted)], { isolationLevel }),
        );
      }
    }
  },

  async twice(r) {
    const topic = await filledTopic(r);
    const other = await filledTopic(r, 'u');
    for (const version of [11, 17]) {
      const once = named(version, topic, { fetchOffset: 0 });
      const again = named(version, topic, { fetchOffset: 2 });
      await r.ask(
        'the same partition twice',
        Fetch,
        version,
        body([{ ...once, partitions: [...once.partitions, ...again.partitions] }]),
      );
      await r.ask('the same topic twice', Fetch, version, body([once, named(version, other, {}), again]));
      await r.ask('no partitions', Fetch, version, body([named(version, topic)]));
      await r.ask(
        'an error first',
        Fetch,
        version,
        body([named(version, topic, { fetchOffset: 9 }, { fetchOffset: 0 })]),
      );
      await r.ask(
        'no such partition, twice',
        Fetch,
        version,
        body([named(version, topic, { partition: 9 }, { partition: 9 })]),
      );
    }
  },

  async sessions(r) {
    const topic = await filledTopic(r);
    for (const version of [11, 17]) {
      const all = named(version, topic, {}, { partition: 1 });
      const forget = (...partitions: number[]) => [{ ...named(version, topic), partitions }];
      const fetch = (what: string, sessionId: number, sessionEpoch: number, topics: Body['topics'], more: Body = {}) =>
        r.ask(what, Fetch, version, body(topics, { sessionId, sessionEpoch, ...more }));
      let { sessionId: id } = await fetch('begins with nothing', 0, 0, []);
      await fetch('goes on with nothing', id, 1, []);
      await fetch('is over', id, 2, []);
      ({ sessionId: id } = await fetch('begins with nothing', 0, 0, []));
      await fetch('adds', id, 1, [all]);
      await fetch('isolation 9', id, 2, [all], { isolationLevel: 9 });
      await fetch('goes on', id, 2, []);
      await fetch('no news', id, 3, []);
      await fetch('names twice', id, 4, [named(version, topic, { fetchOffset: 3 }, { fetchOffset: 1 })]);
      await fetch('an error', id, 5, [named(version, topic, { fetchOffset: 9 })]);
      await fetch('still', id, 6, []);
      await fetch('forgets one', id, 7, [], { forgottenTopicsData: forget(0) });
      await fetch('forgets what is not there', id, 8, [], { forgottenTopicsData: forget(0, 7) });
      await fetch('names and forgets', id, 9, [all], { forgottenTopicsData: forget(0) });
      await fetch('forgets all', id, 10, [], { forgottenTopicsData: forget(0, 1) });
      await fetch('goes on', id, 11, []);
      ({ sessionId: id } = await fetch('begins', 0, 0, [all]));
      await fetch('a wrong epoch', id, 5, []);
      await fetch('goes on in no session', 12345, 1, []);
      await fetch('ends', id, -1, []);
      await fetch('goes on', id, 1, []);
      ({ sessionId: id } = await fetch('begins', 0, 0, [all]));
      const { sessionId: next } = await fetch('begins anew', id, 0, [all]);
      await fetch('goes on in the old one', id, 1, []);
      await fetch('goes on in the new one', next, 1, []);
      await fetch('a full fetch without a session', 0, -1, [all]);
      await fetch('epoch -1 of no session', 12345, -1, [all]);
      await fetch('epoch 0 of no session', 12345, 0, [all]);
      await fetch('epoch -2', 0, -2, [all]);
      ({ sessionId: id } = await fetch('begins with a partition that does not exist', 0, 0, [
        named(version, topic, { partition: 9 }),
      ]));
      await fetch('goes on', id, 1, []);
      ({ sessionId: id } = await fetch('begins with isolation 9', 0, 0, [all], { isolationLevel: 9 }));
      await fetch('goes on', id, 1, []);
    }
  },

  async sessionsOfDeletedTopics(r) {
    for (const version of [12, 17]) {
      const topic = await filledTopic(r, `t${version}`);
      const fetch = (what: string, sessionId: number, sessionEpoch: number, topics: Body['topics']) =>
        r.ask(what, Fetch, version, body(topics, { sessionId, sessionEpoch }));
      const { sessionId: id } = await fetch('begins', 0, 0, [named(version, topic, {}, { partition: 1 })]);
      await r.deleteTopic(topic.name);
      await eventually(async () => {
        const { responses } = await r.client.request(Fetch, 12, body([named(12, topic, {})]));
        return responses[0].partitions[0].errorCode === 3;
      });
      await fetch('deleted', id, 1, []);
      await fetch('still', id, 2, []);
      await fetch('named again', id, 3, [named(version, topic, {})]);
      await fetch('deleted, without a session', 0, -1, [named(version, topic, {})]);
      const { sessionId: of } = await fetch('deleted, a session begins', 0, 0, [named(version, topic, {})]);
      await fetch('goes on', of, 1, []);
      const again = { name: topic.name, topicId: await r.topic(topic.name, `t${version}`) };
      r.standIn(again.topicId, 'ID(again)');
      await fetch('made again', id, 4, []);
      await fetch('still', id, 5, []);
      await fetch('the other session', of, 2, []);
      if (version < TOPIC_IDS_SINCE) continue;
      await fetch('the new id', id, 6, [named(version, again, {})]);
      await fetch('no topic id', id, 7, [{ topicId: NO_TOPIC_ID, partitions: [partition()] }]);
      const { sessionId: unknown } = await fetch('an id that never was', 0, 0, [
        { topicId: r.standIn('abcdefghijklmnopqrstuA', 'NEVER'), partitions: [partition()] },
      ]);
      await fetch('goes on', unknown, 1, []);
    }
  },
};
