import { AssignerProtocol, type Consumer, type ConsumerGroupJoinEvent } from 'kafkajs';
import { expect, it } from 'vitest';
import { describeBrokers } from '../describe-brokers.ts';
import { eventually, times, uniqueName } from '../helpers.ts';
import { consumeAll, type Received, receive, textOf, useKafkajs } from './clients.ts';

type Assigned = { partitions(topic: string): number[] };

/** Follows what the group assigns to a consumer: topic to partitions, as of its last join. */
function followAssignment(consumer: Consumer): Assigned {
  let assignment: ConsumerGroupJoinEvent['payload']['memberAssignment'] = {};
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    assignment = payload.memberAssignment;
  });
  return { partitions: (topic) => assignment[topic] ?? [] };
}

describeBrokers('kafkajs consumer groups', (broker) => {
  const clients = useKafkajs(() => broker.bootstrapServers);

  it('shares six partitions among three members, and again when one leaves; nothing is lost', async () => {
    const topic = uniqueName('shared');
    const groupId = uniqueName('group');
    const admin = await clients.admin();
    await admin.createTopics({ topics: [{ topic, numPartitions: 6 }] });
    const members: { consumer: Consumer; assigned: Assigned; received: Received[] }[] = [];
    for (let i = 0; i < 3; i++) {
      const consumer = await clients.consumer({ groupId, sessionTimeout: 10_000 });
      const assigned = followAssignment(consumer);
      await consumer.subscribe({ topic, fromBeginning: true });
      members.push({ consumer, assigned, received: await receive(consumer) });
    }
    const sizes = (): number[] => members.map((m) => m.assigned.partitions(topic).length);
    const covered = (): number => new Set(members.flatMap((m) => m.assigned.partitions(topic))).size;
    await eventually(() => sizes().every((size) => size === 2) && covered() === 6);

    const producer = await clients.producer();
    const send = (prefix: string): Promise<unknown> =>
      producer.send({ topic, messages: times(60, (i) => ({ value: `${prefix}${i}`, partition: i % 6 })) });
    const all = (): string[] => members.flatMap((m) => m.received.map(textOf));
    await send('first ');
    await eventually(() => all().length >= 60);
    expect(members.map((m) => m.received.length)).toEqual([20, 20, 20]);

    const leaving = members[1];
    await leaving.consumer.disconnect();
    const staying = [members[0], members[2]];
    await eventually(() => staying.every((m) => m.assigned.partitions(topic).length === 3));
    await send('second ');
    await eventually(() => new Set(all()).size === 120);
    expect(leaving.received).toHaveLength(20);
  });

  it('shows the members of a group, their clients and their assignments', async () => {
    const topic = uniqueName('described');
    const groupId = uniqueName('group');
    const admin = await clients.admin();
    await admin.createTopics({ topics: [{ topic, numPartitions: 2 }] });
    const consumer = await clients.consumer({ groupId });
    await consumer.subscribe({ topic });
    await receive(consumer);
    const group = await eventually(async () => {
      const [description] = (await admin.describeGroups([groupId])).groups;
      return description.state === 'Stable' ? description : undefined;
    });
    expect(group).toMatchObject({ groupId, protocolType: 'consumer', protocol: 'RoundRobinAssigner', state: 'Stable' });
    expect(group.members).toHaveLength(1);
    const [member] = group.members;
    expect(member).toMatchObject({ clientId: 'compat-kafkajs', clientHost: '/127.0.0.1' });
    expect(member.memberId).toMatch(/^compat-kafkajs-[0-9a-f-]{36}$/);
    expect(AssignerProtocol.MemberAssignment.decode(member.memberAssignment)?.assignment).toEqual({ [topic]: [0, 1] });
    expect(AssignerProtocol.MemberMetadata.decode(member.memberMetadata)?.topics).toEqual([topic]);
    expect((await admin.listGroups()).groups).toContainEqual({ groupId, protocolType: 'consumer' });
  });

  it('answers for a group that does not exist and for one that became empty', async () => {
    const topic = uniqueName('leavers');
    const groupId = uniqueName('group');
    const admin = await clients.admin();
    const [dead] = (await admin.describeGroups([uniqueName('none')])).groups;
    expect(dead).toMatchObject({ state: 'Dead', members: [], protocol: '', protocolType: '' });
    await (await clients.producer()).send({ topic, messages: [{ value: 'x' }] });
    const consumer = await clients.consumer({ groupId });
    await consumeAll(consumer, [topic], 1);
    await consumer.disconnect();
    const [empty] = (await admin.describeGroups([groupId])).groups;
    expect(empty).toMatchObject({ state: 'Empty', members: [], protocolType: 'consumer' });
  });

  it('continues behind the committed offset with the next member', async () => {
    const topic = uniqueName('continue');
    const groupId = uniqueName('group');
    const producer = await clients.producer();
    await producer.send({ topic, messages: times(5, (i) => ({ value: `a${i}` })) });
    const first = await clients.consumer({ groupId });
    await consumeAll(first, [topic], 5);
    await first.disconnect();
    await producer.send({ topic, messages: times(5, (i) => ({ value: `b${i}` })) });
    const second = await consumeAll(await clients.consumer({ groupId }), [topic], 5);
    expect(second.map(textOf)).toEqual(times(5, (i) => `b${i}`));
  });

  it('hands the partitions of a silent member over after its session timeout', async () => {
    const topic = uniqueName('silent');
    const groupId = uniqueName('group');
    await (await clients.producer()).send({ topic, messages: [{ value: 'once' }] });
    // This member hangs in its first message and sends no heartbeat; kafkajs sends them between messages only.
    const silent = await clients.consumer({ groupId, sessionTimeout: 6000, rebalanceTimeout: 6000 });
    await silent.subscribe({ topic, fromBeginning: true });
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let reached = false;
    await silent.run({
      eachMessage: () => {
        reached = true;
        return held;
      },
    });
    await eventually(() => reached);
    try {
      const next = await consumeAll(await clients.consumer({ groupId, sessionTimeout: 6000 }), [topic], 1);
      expect(next.map(textOf)).toEqual(['once']);
    } finally {
      release();
    }
  });

  it('keeps two groups on one topic apart', async () => {
    const topic = uniqueName('apart');
    await (await clients.producer()).send({ topic, messages: times(3, (i) => ({ value: String(i) })) });
    for (const groupId of [uniqueName('group'), uniqueName('group')]) {
      const received = await consumeAll(await clients.consumer({ groupId }), [topic], 3);
      expect(received.map(textOf)).toEqual(['0', '1', '2']);
    }
  });

  it('refuses a session timeout outside the limits with INVALID_SESSION_TIMEOUT', async () => {
    const topic = uniqueName('timeout');
    await (await clients.producer()).send({ topic, messages: [{ value: 'x' }] });
    const consumer = await clients.consumer({
      groupId: uniqueName('group'),
      sessionTimeout: 100,
      heartbeatInterval: 50,
    });
    const crash = new Promise<Error>((resolve) =>
      consumer.on(consumer.events.CRASH, ({ payload }) => resolve(payload.error)),
    );
    await consumer.subscribe({ topic });
    await consumer.run({ eachMessage: async () => {} }).catch(() => {});
    expect(await crash).toMatchObject({ type: 'INVALID_SESSION_TIMEOUT' });
  });
});
