import { expect, it } from 'vitest';
import { findCoordinator } from '../../src/api/10-find-coordinator.ts';
import { shareGroupHeartbeat } from '../../src/api/76-share-group-heartbeat.ts';
import { WireClient } from '../../test/support/wire-client.ts';
import { eventually, times, uniqueName } from '../helpers.ts';
import { kafkajs } from '../kafkajs/client.ts';
import { describeTools, lines, table } from './tools.ts';

const COMMAND = 'consumer.group.ShareGroupCommand';

describeTools('kafka-share-groups', ({ tool, attempt }, broker) => {
  const groups = (...args: string[]): Promise<string> => tool(COMMAND, args);

  /** A topic of two partitions with five messages each. */
  async function filledTopic(): Promise<string> {
    const topic = uniqueName('shared');
    const admin = kafkajs(broker.bootstrapServers).admin();
    const producer = kafkajs(broker.bootstrapServers).producer();
    await Promise.all([admin.connect(), producer.connect()]);
    await admin.createTopics({ topics: [{ topic, numPartitions: 2 }] });
    await producer.send({ topic, messages: times(10, (i) => ({ value: String(i), partition: i % 2 })) });
    await Promise.all([admin.disconnect(), producer.disconnect()]);
    return topic;
  }

  /** A group with one member, which has all of the topic, and the way to let it leave. */
  async function joined(groupId: string, topic: string): Promise<() => Promise<void>> {
    const client = await WireClient.connect(broker.bootstrapServers);
    const beat = (memberEpoch: number) =>
      client.request(shareGroupHeartbeat, 1, { groupId, memberId: 'm', memberEpoch, subscribedTopicNames: [topic] });
    await eventually(async () => {
      const found = await client.request(findCoordinator, 6, { keyType: 0, coordinatorKeys: [groupId] });
      return found.coordinators[0].errorCode === 0;
    });
    let epoch = 0;
    await eventually(async () => {
      const told = await beat(epoch);
      epoch = told.memberEpoch;
      return told.errorCode === 0 && told.assignment?.topicPartitions[0]?.partitions.length === 2;
    });
    return async () => {
      await beat(-1);
      await client.close();
    };
  }

  it('lists and describes a group with a member', async () => {
    const topic = await filledTopic();
    const group = uniqueName('live');
    const leave = await joined(group, topic);
    expect(lines(await groups('--list'))).toContain(group);
    expect(lines(await groups('--list', '--state'))).toContainEqual(
      expect.stringMatching(new RegExp(`^${group}\\s+Stable`)),
    );
    expect(await groups('--list', '--state', 'Empty')).not.toContain(group);
    const state = lines(await groups('--describe', '--group', group, '--state')).at(-1);
    expect(state?.split(/\s+/)).toEqual([group, broker.bootstrapServers, '(1)', 'Stable', '1']);
    const [member] = table(await groups('--describe', '--group', group, '--members'), 'GROUP');
    expect(member).toMatchObject({ GROUP: group, 'CONSUMER-ID': 'm', HOST: '/127.0.0.1', 'CLIENT-ID': 'test' });
    expect(member.ASSIGNMENT).toMatch(new RegExp(`^${topic}:(0,1|1,0)$`));
    const offsets = table(await groups('--describe', '--group', group), 'GROUP');
    expect(offsets.map((row) => [row.TOPIC, row.PARTITION, row['START-OFFSET']]).sort()).toEqual([
      [topic, '0', '-'],
      [topic, '1', '-'],
    ]);
    const refused = await attempt(COMMAND, ['--delete', '--group', group]);
    expect(refused.stdout + refused.stderr).toContain('GroupNotEmptyException');
    await leave();
  });

  it('sets, shows and deletes offsets, and deletes the group', async () => {
    const topic = await filledTopic();
    const group = uniqueName('reset');
    const leave = await joined(group, topic);
    const busy = await attempt(COMMAND, [
      '--reset-offsets',
      '--group',
      group,
      '--topic',
      topic,
      '--to-earliest',
      '--execute',
    ]);
    expect(busy.stdout + busy.stderr).toMatch(/not empty|is not Empty|active|inactive/i);
    await leave();
    const planned = await groups('--reset-offsets', '--group', group, '--topic', topic, '--to-earliest', '--dry-run');
    expect(table(planned, 'GROUP').map((row) => row['NEW-OFFSET'])).toEqual(['0', '0']);
    await groups('--reset-offsets', '--group', group, '--topic', topic, '--to-earliest', '--execute');
    const rows = await eventually(async () => {
      const offsets = table(await groups('--describe', '--group', group), 'GROUP');
      return offsets.every((row) => row['START-OFFSET'] === '0') ? offsets : undefined;
    });
    expect(rows.map((row) => [row.PARTITION, row['START-OFFSET'], row.LAG]).sort()).toEqual([
      ['0', '0', '5'],
      ['1', '0', '5'],
    ]);
    const deleted = await groups('--delete-offsets', '--group', group, '--topic', topic);
    expect(deleted).toMatch(new RegExp(`${topic}\\s+Successful`));
    expect(await groups('--describe', '--group', group)).not.toContain(topic);
    const gone = await groups('--delete', '--group', group);
    expect(gone).toContain('was successful');
    expect(lines(await groups('--list'))).not.toContain(group);
    const missing = await attempt(COMMAND, ['--describe', '--group', group]);
    expect(missing.stdout + missing.stderr).toContain(`Group ${group} not found.`);
  });
});
