import { expect, it } from 'vitest';
import { eventually, times, uniqueName } from '../helpers.ts';
import { describeTools, lines } from './tools.ts';

describeTools('kafka-topics', ({ tool, attempt }) => {
  const topics = (...args: string[]): Promise<string> => tool('TopicCommand', args);

  it('creates, describes, grows, lists and deletes a topic', async () => {
    const topic = uniqueName('topic');
    const created = await topics('--create', '--topic', topic, '--partitions', '2', '--config', 'retention.ms=1000');
    expect(created.trim()).toBe(`Created topic ${topic}.`);
    const [head, ...partitions] = lines(await topics('--describe', '--topic', topic));
    const [name, id, count, factor, configs] = head.split('\t');
    expect([name, count, factor]).toEqual([`Topic: ${topic}`, 'PartitionCount: 2', 'ReplicationFactor: 1']);
    expect(id).toMatch(/^TopicId: [A-Za-z0-9_-]{22}$/);
    expect(configs).toBe('Configs: min.insync.replicas=1,retention.ms=1000');
    expect(partitions.map((line) => line.split('\t').map((cell) => cell.trim()))).toEqual(
      times(2, (i) => [
        `Topic: ${topic}`,
        `Partition: ${i}`,
        'Leader: 1',
        'Replicas: 1',
        'Isr: 1',
        'Elr:',
        'LastKnownElr:',
      ]),
    );
    await topics('--alter', '--topic', topic, '--partitions', '4');
    expect(lines(await topics('--describe', '--topic', topic))).toHaveLength(5);
    expect(lines(await topics('--list'))).toContain(topic);
    await topics('--delete', '--topic', topic);
    await eventually(async () => !lines(await topics('--list')).includes(topic));
  });

  it('finds nothing to complain about: no replica missing, no leader missing', async () => {
    const topic = uniqueName('healthy');
    await topics('--create', '--topic', topic, '--replica-assignment', '1,1,1');
    for (const problem of ['--under-replicated-partitions', '--unavailable-partitions', '--under-min-isr-partitions'])
      expect(await topics('--describe', problem)).toBe('');
    const overridden = await topics('--describe', '--topics-with-overrides', '--topic', topic);
    expect(overridden).toContain('PartitionCount: 3');
  });

  it('leaves internal topics out when asked to', async () => {
    expect(lines(await topics('--list', '--exclude-internal'))).not.toContain('__consumer_offsets');
  });

  it('refuses what cannot be, in the words of Kafka', async () => {
    const topic = uniqueName('refused');
    await topics('--create', '--topic', topic, '--partitions', '2');
    const refusal = async (...args: string[]): Promise<string> => {
      const { stdout, code } = await attempt('TopicCommand', args);
      expect(code).toBe(1);
      return lines(stdout)[0];
    };
    expect(await refusal('--create', '--topic', topic)).toBe(
      `Error while executing topic command : Topic '${topic}' already exists.`,
    );
    expect(await refusal('--alter', '--topic', topic, '--partitions', '1')).toBe(
      `Error while executing topic command : The topic ${topic} currently has 2 partition(s); 1 would not be an increase.`,
    );
    expect(await refusal('--create', '--topic', uniqueName('two'), '--replication-factor', '2')).toMatch(
      /Unable to replicate the partition 2 time\(s\): The target replication factor of 2 cannot be reached because only 1 broker\(s\) are registered/,
    );
    expect(await refusal('--create', '--topic', uniqueName('bad'), '--config', 'retention.ms=-5')).toMatch(
      /Invalid value -5 for configuration retention\.ms: Value must be at least -1/,
    );
    expect(await refusal('--describe', '--topic', uniqueName('none'))).toMatch(/does not exist as expected/);
    await topics('--create', '--topic', topic, '--if-not-exists');
  });
});
