import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeBrokers } from '../describe-brokers.ts';
import { eventually, uniqueName } from '../helpers.ts';
import { kafkajs } from '../kafkajs/client.ts';
import { Steps } from './transaction-steps.ts';

/** What Kafka answers to right and wrong requests, recorded: `COMPAT_BROKERS=kafka vitest run --project compat -u`. */
const scenarios: Record<string, (steps: Steps) => Promise<void>> = {
  async initialization(s) {
    await s.init('an empty id', 4, { transactionalId: '' });
    await s.init('no timeout', 4, { transactionTimeoutMs: 0 });
    await s.init('a negative timeout', 4, { transactionTimeoutMs: -1 });
    await s.init('a timeout above the maximum', 4, { transactionTimeoutMs: 900_001 });
    await s.init('an id without an epoch', 4, { producerId: 5, producerEpoch: -1 });
    await s.init('an epoch without an id', 4, { producerId: -1, producerEpoch: 5 });
    await s.init('without a transactional id', 4, { transactionalId: null, transactionTimeoutMs: 0 });
    await s.init('one that nothing is known of', 4, { producerId: 12_345, producerEpoch: 3 });
    for (const version of [0, 1, 2, 3, 4, 5]) await s.init('again', version);
    const now = await s.init('again', 4);
    const next = await s.init('goes on', 4, now);
    await s.init('goes on, asked twice', 4, now);
    await s.init('another id', 4, { ...next, producerId: Number(next.producerId) + 1000 });
    await s.init('an old epoch', 3, { ...next, producerEpoch: 0 });
    await s.init('an old epoch', 4, { ...next, producerEpoch: 0 });
    await s.init('an epoch to come', 4, { ...next, producerEpoch: 100 });
    await s.describe('then', s.id);
    await s.describe('another', 'no-such-id');
    await s.describe('none', '');
  },

  async oldProtocol(s) {
    const nobody = { producerId: 12_345, producerEpoch: 0 };
    await s.add('unknown id', 3, nobody);
    await s.addOffsets('unknown id', 3, nobody);
    await s.end('unknown id', 3, nobody, true);
    const producer = await s.init('begin', 4);
    const old = { ...producer, producerEpoch: -1 };
    const other = { ...producer, producerId: 12_345 };
    const later = { ...producer, producerEpoch: 1 };
    await s.end('nothing begun', 3, producer, true);
    await s.end('nothing begun', 3, producer, false);
    for (const version of [0, 1, 2, 3]) {
      await s.add('another id', version, other);
      await s.add('a later epoch', version, later);
    }
    await s.add('an old epoch', 3, old);
    await s.add('an empty id', 3, producer, { id: '' });
    await s.add('a partition that does not exist', 3, producer, { partitions: [0, 77] });
    await s.add('a topic that does not exist', 3, producer, { topic: 'no-such-topic' });
    for (const version of [0, 1, 2, 3, 4]) {
      await s.addOffsets('another id', version, other);
      await s.addOffsets('a later epoch', version, later);
    }
    await s.addOffsets('an empty id', 4, producer, '');
    await s.produce('not added', 7, producer, 0);
    await s.produce('not added', 11, producer, 0);
    await s.produce('no transactional id', 7, producer, 0, { id: null });
    await s.produce('unknown transactional id', 7, producer, 0, { id: 'no-such-id' });
    await s.produce('another producer', 7, other, 0);
    await s.produce('a later epoch', 7, later, 0);
    await s.add('right', 3, producer);
    await s.add('again', 0, producer);
    await s.describe('begun');
    await s.produce('a later sequence', 7, producer, 3);
    await s.produce('right', 7, producer, 0);
    await s.produce('not of the transaction', 7, producer, 1, { transactional: false });
    await s.produce('another partition', 7, producer, 0, { partition: 1 });
    await s.init('a new one, while it is open', 4, {}, false);
    await s.init('a new one', 4);
    await s.describe('then');
    await s.produce('of the fenced', 7, producer, 1);
    await s.add('of the fenced', 1, producer);
    await s.add('of the fenced', 3, producer);
    await s.end('of the fenced', 1, producer, true);
    await s.end('of the fenced', 3, producer, true);
  },

  async oldEnds(s) {
    const producer = await s.init('begin', 4);
    for (const committed of [true, false]) {
      await s.add('right', 3, producer);
      for (const version of [0, 1, 2, 3, 4]) {
        await s.end('another id', version, { ...producer, producerId: 12_345 }, committed);
        await s.end('a later epoch', version, { ...producer, producerEpoch: 9 }, committed);
      }
      await s.end('unknown id', 3, producer, committed, 'no-such-id');
      await s.end('an empty id', 3, producer, committed, '');
      await s.end('right', 3, producer, committed);
      await s.end('again', 3, producer, committed);
      await s.end('the other way', 3, producer, !committed);
      await s.describe('then');
    }
    await s.end('in the new way', 5, producer, false);
    await s.describe('then');
  },

  async newProtocol(s) {
    let producer = await s.init('begin', 5);
    await s.produce('a later sequence first', 12, producer, 5);
    await s.produce('another id', 12, { ...producer, producerId: 12_345 }, 0);
    await s.produce('a later epoch', 12, { ...producer, producerEpoch: 7 }, 0);
    await s.produce('unknown transactional id', 12, producer, 0, { id: 'no-such-id' });
    await s.describe('before');
    await s.produce('right', 12, producer, 0);
    await s.describe('begun');
    const first = producer;
    await s.end('a later epoch', 5, { ...producer, producerEpoch: 3 }, true);
    await s.end('another id', 5, { ...producer, producerId: 12_345 }, true);
    producer = await s.end('right', 5, producer, true);
    await s.end('again', 5, first, true);
    await s.end('again, the other way', 5, first, false);
    await s.end('nothing begun', 5, producer, true);
    await s.produce('of the transaction before', 12, first, 1);
    await s.produce('a later sequence in a new epoch', 12, producer, 1);
    await s.produce('right', 12, producer, 0);
    const second = producer;
    producer = await s.end('right', 5, producer, false);
    await s.end('again', 5, second, false);
    await s.end('again, the other way', 5, second, true);
    await s.describe('then');
    producer = await s.end('nothing begun', 5, producer, false);
    producer = await s.end('nothing begun', 5, producer, false);
    await s.produce('in a new epoch', 12, producer, 0);
    await s.init('a new one, while it is open', 5, {}, false);
    await s.init('a new one', 5);
    await s.end('of the fenced', 5, producer, true);
    await s.produce('of the fenced', 12, producer, 1);
    await s.describe('then');
  },

  async verification(s) {
    const producer = await s.init('begin', 4);
    for (const version of [4, 5]) {
      await s.add('verified, not there', version, producer, { verifyOnly: true, partitions: [0, 1] });
    }
    await s.add('verified, unknown id', 4, producer, { verifyOnly: true, id: 'no-such-id' });
    await s.add('verified, an empty id', 4, producer, { verifyOnly: true, id: '' });
    await s.add('verified, another id', 4, { ...producer, producerId: 12_345 }, { verifyOnly: true });
    await s.add('verified, a later epoch', 4, { ...producer, producerEpoch: 4 }, { verifyOnly: true });
    await s.add('verified, no such partition', 4, producer, { verifyOnly: true, partitions: [0, 9] });
    await s.add('added', 4, producer);
    await s.add('verified', 4, producer, { verifyOnly: true, partitions: [0, 1] });
    await s.describe('then');
    await s.produce('verified', 11, producer, 0);
    await s.produce('not added', 10, producer, 0, { partition: 1 });
    await s.produce('not added', 11, producer, 0, { partition: 1 });
    await s.produce('added by it', 12, producer, 0, { partition: 1 });
    await s.produceTwo('of two producers', 11, producer, { producerId: 12_345, producerEpoch: 0 });
    await s.produceTwo('of two producers', 12, producer, { producerId: 12_345, producerEpoch: 0 });
    await s.produceTwo('one without a producer', 11, { ...producer, producerEpoch: 7 }, null);
    await s.describe('then');
    await s.list('by state', 0, { stateFilters: ['Ongoing', 'NoSuchState'] });
    await s.list('by another state', 0, { stateFilters: ['Empty'] });
    await s.list('by producer', 1, { producerIdFilters: [producer.producerId], durationFilter: -1 });
    await s.list('by another producer', 1, { producerIdFilters: [12_345] });
    await s.list('by duration', 1, { producerIdFilters: [producer.producerId], durationFilter: 100_000 });
    await s.list('by pattern', 2, { transactionalIdPattern: `${s.id.slice(0, -2)}.*` });
    await s.list('by part of a pattern', 2, { transactionalIdPattern: s.id.slice(0, -2) });
    await s.list('by no pattern', 2, { transactionalIdPattern: '' });
    await s.list('by what is no pattern', 2, { transactionalIdPattern: '(' });
    await s.list('by a pattern that looks ahead', 2, { transactionalIdPattern: '(?=a)' });
    await s.end('right', 3, producer, true);
  },

  async offsets(s) {
    const producer = await s.init('begin', 4);
    for (const version of [0, 1, 2, 3, 4]) await s.commitOffsets('not added', version, producer);
    await s.addOffsets('right', 3, producer);
    await s.commitOffsets('an empty group', 3, producer, { groupId: '' });
    await s.commitOffsets('unknown id', 3, producer, { transactionalId: 'no-such-id' });
    await s.commitOffsets('another producer', 3, { ...producer, producerId: 12_345 });
    await s.commitOffsets('a later epoch', 3, { ...producer, producerEpoch: 4 });
    await s.commitOffsets('a generation of no group', 3, producer, { generationId: 3, memberId: 'm' });
    await s.commitOffsets('a partition that does not exist', 3, producer, { partitions: [0, 44] });
    await s.commitOffsets('large metadata', 3, producer, { metadata: 'x'.repeat(4097) });
    await s.commitOffsets('right', 3, producer);
    await s.commitOffsets('a member of an empty group', 3, producer, { generationId: 0, memberId: 'm' });
    await s.offset('pending', true);
    await s.offset('pending', false);
    await s.end('right', 3, producer, false);
    await s.reach('CompleteAbort');
    await s.offset('aborted', true);
    for (const version of [0, 1, 2, 3, 4]) {
      await s.addOffsets('right', 3, producer);
      await s.commitOffsets('right', version, producer);
    }
    await s.end('right', 3, producer, true);
    await s.reach('CompleteCommit');
    await s.offset('committed', true);
    const next = await s.init('again', 5);
    await s.commitOffsets('added by it', 5, next);
    await s.commitOffsets('of the one before', 5, producer);
    await s.describe('begun');
    await s.end('right', 5, next, true);
    await s.reach('CompleteCommit');
    await s.commitOffsets('of the transaction before', 5, next);
  },

  async markers(s) {
    const producer = await s.init('begin', 4);
    await s.markers('no such partition', 1, producer, { partitions: [9] });
    await s.markers('no such topic', 1, producer, { topic: 'no-such-topic' });
    await s.markers('no transaction', 1, producer, { partitions: [1] });
    await s.add('right', 3, producer);
    await s.produce('right', 7, producer, 0);
    await s.markers('right', 1, producer, { coordinatorEpoch: 5 });
    await s.markers('again', 1, producer, { coordinatorEpoch: 5 });
    await s.markers('of an old coordinator', 1, producer, { coordinatorEpoch: 4 });
    await s.markers(
      'of a later epoch',
      2,
      { ...producer, producerEpoch: 3 },
      { coordinatorEpoch: 5, transactionVersion: 2 },
    );
    await s.markers('again', 2, { ...producer, producerEpoch: 3 }, { coordinatorEpoch: 5, transactionVersion: 2 });
    await s.markers(
      'of an old epoch',
      2,
      { ...producer, producerEpoch: 2 },
      { coordinatorEpoch: 5, transactionVersion: 2 },
    );
    await s.markers('of an old epoch', 1, { ...producer, producerEpoch: 2 }, { coordinatorEpoch: 5 });
    await s.produce('of an old epoch', 7, producer, 1);
  },
};

describeBrokers('transactions, request by request', (broker) => {
  it.each(Object.entries(scenarios))('%s', async (name, scenario) => {
    const topic = uniqueName('steps');
    const admin = kafkajs(broker.bootstrapServers).admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions: 2 }] });
    // Kafka's leaders serve some time after the topic is there.
    await eventually(() => admin.fetchTopicOffsets(topic));
    await admin.disconnect();
    const steps = await Steps.open(broker.bootstrapServers, uniqueName('id'), topic);
    try {
      await scenario(steps);
    } finally {
      await steps.close();
    }
    const recorded = join(import.meta.dirname, 'expected', `transactions-${name}.txt`);
    await expect(`${steps.lines.join('\n')}\n`).toMatchFileSnapshot(recorded);
  });
});
