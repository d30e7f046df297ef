import { expect, it } from 'vitest';
import { describeBrokers } from '../describe-brokers.ts';
import { eventually, times, uniqueName } from '../helpers.ts';
import { topicsServe } from '../kafkajs/client.ts';
import {
  consumeAll,
  gather,
  type TextConsumer,
  type TextMessage,
  type TextStream,
  usePlatformatic,
} from './clients.ts';

type Member = { consumer: TextConsumer; stream: TextStream; received: TextMessage[] };

describeBrokers('@platformatic/kafka consumer groups', (broker) => {
  const clients = usePlatformatic(() => broker.bootstrapServers);

  it('shares six partitions among three members, and again when one leaves; nothing is lost', async () => {
    const topic = uniqueName('pf');
    const groupId = uniqueName('group');
    await clients.admin().createTopics({ topics: [topic], partitions: 6, replicas: 1 });
    await topicsServe(broker.bootstrapServers, [topic]);
    const members: Member[] = [];
    for (let i = 0; i < 3; i++) {
      const consumer = clients.consumer({
        groupId,
        sessionTimeout: 10_000,
        heartbeatInterval: 500,
        rebalanceTimeout: 10_000,
      });
      const stream = await consumer.consume({
        topics: [topic],
        mode: 'committed',
        fallbackMode: 'earliest',
        autocommit: 100,
      });
      members.push({ consumer, stream, received: gather(stream) });
    }
    const sizes = (of: Member[]): number[] =>
      of.map((m) => m.consumer.assignments?.find((a) => a.topic === topic)?.partitions.length ?? 0);
    await eventually(() => sizes(members).every((size) => size === 2));
    const producer = clients.producer();
    const send = (prefix: string): Promise<unknown> =>
      producer.send({ messages: times(60, (i) => ({ topic, partition: i % 6, value: `${prefix}${i}` })) });
    const all = (): Set<string> => new Set(members.flatMap((m) => m.received.map((message) => message.value)));
    await send('first ');
    await eventually(() => all().size === 60);
    const [first, leaving, third] = members;
    await leaving.stream.close();
    await leaving.consumer.close(true);
    await eventually(() => sizes([first, third]).every((size) => size === 3));
    await send('second ');
    await eventually(() => all().size === 120);
  });

  it('continues behind the committed offset with the next member', async () => {
    const topic = uniqueName('pf');
    const groupId = uniqueName('group');
    const producer = clients.producer();
    await producer.send({ messages: times(5, (i) => ({ topic, value: `a${i}` })) });
    const first = clients.consumer({ groupId });
    const stream = await first.consume({ topics: [topic], mode: 'earliest', autocommit: true });
    const received = gather(stream);
    await eventually(() => received.length === 5);
    await eventually(async () => {
      const committed = await first.listCommittedOffsets({ topics: [{ topic, partitions: [0] }] });
      return committed.get(topic)?.[0] === 5n;
    });
    await first.close(true);
    await producer.send({ messages: times(3, (i) => ({ topic, value: `b${i}` })) });
    const next = gather(await clients.consumer({ groupId }).consume({ topics: [topic], mode: 'committed' }));
    await eventually(() => next.length === 3);
    expect(next.map((m) => m.value)).toEqual(['b0', 'b1', 'b2']);
  });

  it('is a static member with a group instance id, which stays when the client goes', async () => {
    const topic = uniqueName('pf');
    const groupId = uniqueName('group');
    await clients.producer().send({ messages: [{ topic, value: 'x' }] });
    const consumer = clients.consumer({ groupId, groupInstanceId: 'fixed', sessionTimeout: 30_000 });
    await consumeAll(consumer, [topic], 1);
    const admin = clients.admin();
    const group = (await admin.describeGroups({ groups: [groupId] })).get(groupId);
    expect(group?.state).toBe('STABLE');
    const [member] = [...(group?.members.values() ?? [])];
    expect(member).toMatchObject({
      groupInstanceId: 'fixed',
      clientId: 'compat-platformatic',
      clientHost: '/127.0.0.1',
    });
    expect(member.id).toMatch(/^fixed-/);
  });
});
