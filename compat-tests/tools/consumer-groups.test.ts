import { afterEach, expect, it } from 'vitest';
import { eventually, times, uniqueName } from '../helpers.ts';
import { kafkajs } from '../kafkajs/client.ts';
import { type Background, describeTools, inputFile, lines, table } from './tools.ts';

describeTools('kafka-consumer-groups', ({ tool, attempt, background }, broker) => {
  const groups = (...args: string[]): Promise<string> => tool('consumer.group.ConsumerGroupCommand', args);
  const running: Background[] = [];
  afterEach(() => Promise.all(running.splice(0).map((consumer) => consumer.stop())));

  /** A topic of two partitions with ten messages each, all of an hour ago but the last one of each partition. */
  async function filledTopic(): Promise<string> {
    const topic = uniqueName('grouped');
    const admin = kafkajs(broker.bootstrapServers).admin();
    const producer = kafkajs(broker.bootstrapServers).producer();
    await Promise.all([admin.connect(), producer.connect()]);
    await admin.createTopics({ topics: [{ topic, numPartitions: 2 }] });
    const hourAgo = String(Date.now() - 3_600_000);
    const message = (i: number) => ({
      value: String(i),
      partition: i % 2,
      timestamp: i < 18 ? hourAgo : String(Date.now()),
    });
    // One message to a request: batches that hold one time each.
    for (let i = 0; i < 20; i++) await producer.send({ topic, messages: [message(i)] });
    await Promise.all([admin.disconnect(), producer.disconnect()]);
    return topic;
  }

  /** Consumes all of the topic in a group; the consumer stays when asked to. */
  async function consumed(topic: string, group: string): Promise<Background> {
    const args = ['--topic', topic, '--group', group, '--from-beginning'];
    const interval = ['--command-property', 'auto.commit.interval.ms=100'];
    const consumer = background('consumer.ConsoleConsumer', [...args, ...interval]);
    running.push(consumer);
    await eventually(() => lines(consumer.output()).filter((line) => /^\d+$/.test(line)).length === 20);
    return consumer;
  }

  it('shows a group with a member: offsets, members, state', async () => {
    const topic = await filledTopic();
    const group = uniqueName('live');
    const consumer = await consumed(topic, group);
    const rows = await eventually(async () => {
      const offsets = table(await groups('--describe', '--group', group), 'GROUP');
      return offsets.every((row) => row.LAG === '0') ? offsets : undefined;
    });
    expect(rows).toHaveLength(2);
    for (const row of rows)
      expect(row).toMatchObject({
        GROUP: group,
        TOPIC: topic,
        'CURRENT-OFFSET': '10',
        'LOG-END-OFFSET': '10',
        HOST: '/127.0.0.1',
        'CLIENT-ID': 'console-consumer',
      });
    const [state] = table(await groups('--describe', '--group', group, '--state'), 'GROUP');
    expect(state).toMatchObject({ GROUP: group });
    const stateLine = lines(await groups('--describe', '--group', group, '--state'))
      .at(-1)
      ?.split(/\s+/);
    expect(stateLine).toEqual([group, broker.bootstrapServers, '(1)', 'range', 'Stable', '1']);
    const member = lines(await groups('--describe', '--group', group, '--members', '--verbose')).at(-1);
    expect(member).toContain(`${topic}:0,1`);
    expect(lines(await groups('--list', '--state'))).toContainEqual(
      expect.stringMatching(new RegExp(`^${group}\\s+Stable`)),
    );
    const refused = await attempt('consumer.group.ConsumerGroupCommand', [
      '--reset-offsets',
      '--group',
      group,
      '--topic',
      topic,
      '--to-earliest',
      '--execute',
    ]);
    expect(refused.stdout + refused.stderr).toMatch(
      /Assignments can only be reset if the group '.*' is inactive, but the current state is Stable/,
    );
    await consumer.stop();
    const empty = await attempt('consumer.group.ConsumerGroupCommand', ['--describe', '--group', group]);
    expect(empty.stderr).toContain(`Consumer group '${group}' has no active members.`);
    expect(lines(await tool('GroupsCommand', ['--list']))).toContainEqual(
      expect.stringMatching(new RegExp(`^${group}\\s+Classic\\s+consumer$`)),
    );
  });

  it('resets offsets in every way that there is', async () => {
    const topic = await filledTopic();
    const group = uniqueName('reset');
    await (await consumed(topic, group)).stop();
    const reset = async (...args: string[]): Promise<number[]> => {
      const printed = await groups('--reset-offsets', '--group', group, ...args, '--execute');
      return table(printed, 'GROUP')
        .sort((a, b) => Number(a.PARTITION) - Number(b.PARTITION))
        .map((row) => Number(row['NEW-OFFSET']));
    };
    const current = async (): Promise<number[]> =>
      table(await groups('--describe', '--group', group, '--offsets'), 'GROUP').map((row) =>
        Number(row['CURRENT-OFFSET']),
      );
    const on = ['--topic', topic];
    expect(await reset(...on, '--to-earliest')).toEqual([0, 0]);
    expect(await current()).toEqual([0, 0]);
    expect(await reset(...on, '--to-latest')).toEqual([10, 10]);
    expect(await reset(...on, '--to-offset', '4')).toEqual([4, 4]);
    expect(await reset(...on, '--shift-by', '3')).toEqual([7, 7]);
    expect(await reset(...on, '--shift-by', '-20')).toEqual([0, 0]);
    expect(await reset('--topic', `${topic}:1`, '--to-offset', '5')).toEqual([5]);
    expect((await current()).sort()).toEqual([0, 5]);
    expect(await reset('--all-topics', '--to-current')).toEqual([0, 5]);
    const halfAnHourAgo = new Date(Date.now() - 1_800_000).toISOString();
    expect(await reset(...on, '--to-datetime', halfAnHourAgo)).toEqual([9, 9]);
    expect(await reset(...on, '--by-duration', 'PT2H')).toEqual([0, 0]);
    const file = inputFile(`${topic},0,2\n${topic},1,3\n`);
    expect(await reset('--from-file', file)).toEqual([2, 3]);
    expect(await current()).toEqual([2, 3]);
  });

  it('deletes offsets and groups', async () => {
    const topic = await filledTopic();
    const group = uniqueName('deleted');
    await (await consumed(topic, group)).stop();
    const removed = await groups('--delete-offsets', '--group', group, '--topic', topic);
    expect(table(removed, 'TOPIC')).toEqual(
      expect.arrayContaining(times(2, (i) => ({ TOPIC: topic, PARTITION: String(i), STATUS: 'Successful' }))),
    );
    // Without offsets and members nothing of the group remains.
    const gone = await groups('--delete', '--group', group);
    expect(gone).toMatch(/GroupIdNotFoundException|was successful/);
    await (await consumed(topic, group)).stop();
    expect(await groups('--delete', '--group', group)).toBe(
      `Deletion of requested consumer groups ('${group}') was successful.\n`,
    );
    expect(await groups('--delete', '--group', group)).toContain(
      `Group '${group}' could not be deleted due to: org.apache.kafka.common.errors.GroupIdNotFoundException`,
    );
    expect(await groups('--describe', '--group', group)).toContain(
      `GroupIdNotFoundException: Group ${group} not found.`,
    );
  });
});
