import { spawn } from 'node:child_process';
import { expect, it } from 'vitest';
import { eventually, pastMs, times, uniqueName } from '../helpers.ts';
import { kafkajs } from '../kafkajs/client.ts';
import { describeKcat, lines } from './kcat.ts';

describeKcat('kcat (librdkafka)', (kcat, broker) => {
  async function createTopic(numPartitions = 1): Promise<string> {
    const topic = uniqueName('kcat');
    const admin = kafkajs(broker.bootstrapServers).admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions }] });
    await admin.disconnect();
    return topic;
  }

  /** Consumes from the beginning to the end of the partitions. */
  const readAll = (topic: string, ...more: string[]): Promise<string> =>
    kcat(['-C', '-q', '-t', topic, '-o', 'beginning', '-e', ...more]);

  it('lists brokers, controller, topics and partitions (-L -J)', async () => {
    const topic = await createTopic(3);
    const listed = JSON.parse(await kcat(['-L', '-J', '-t', topic]));
    expect(listed.brokers).toEqual([{ id: 1, name: broker.bootstrapServers }]);
    expect(listed.controllerid).toBe(1);
    const partitions = times(3, (partition) => ({ partition, leader: 1, replicas: [{ id: 1 }], isrs: [{ id: 1 }] }));
    expect(listed.topics).toEqual([{ topic, partitions }]);
    const everything = JSON.parse(await kcat(['-L', '-J']));
    expect(everything.topics.map((t: { topic: string }) => t.topic)).toContain(topic);
  });

  it('says that a topic is unknown', async () => {
    const topic = uniqueName('none');
    const listed = JSON.parse(await kcat(['-L', '-J', '-t', topic, '-X', 'allow.auto.create.topics=false']));
    expect(listed.topics[0].error).toMatch(/Unknown topic or partition/);
  });

  it('creates a topic on the first produce', async () => {
    const topic = uniqueName('kcat-auto');
    await kcat(['-P', '-t', topic], { stdin: 'hello\n' });
    expect(await readAll(topic)).toBe('hello\n');
  });

  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])('writes and reads 5,000 messages with codec %s', async (codec) => {
    const topic = await createTopic();
    const stdin = times(5000, (i) => `message ${i} ${'abc'.repeat(i % 30)}\n`).join('');
    await kcat(['-P', '-t', topic, '-p', '0', '-z', codec], { stdin });
    expect(await readAll(topic)).toBe(stdin);
  });

  it('carries keys, nulls, headers, timestamps and partitions', async () => {
    const topic = await createTopic(2);
    const headers = ['-H', 'trace=abc', '-H', 'empty='];
    await kcat(['-P', '-t', topic, '-p', '1', '-K', ':', '-Z', ...headers], { stdin: 'k1:v1\nk2:\n' });
    const messages = lines(await readAll(topic, '-J')).map((line) => JSON.parse(line));
    expect(messages).toMatchObject([
      {
        topic,
        partition: 1,
        offset: 0,
        tstype: 'create',
        headers: ['trace', 'abc', 'empty', ''],
        key: 'k1',
        payload: 'v1',
      },
      { topic, partition: 1, offset: 1, tstype: 'create', key: 'k2', payload: null },
    ]);
    expect(Math.abs(messages[0].ts - Date.now())).toBeLessThan(60_000);
  });

  it('spreads keys over partitions and finds each message again', async () => {
    const topic = await createTopic(4);
    const stdin = times(400, (i) => `key${i % 40}:${i}\n`).join('');
    await kcat(['-P', '-t', topic, '-K', ':'], { stdin });
    const seen = lines(await readAll(topic, '-f', '%p %k %s\n')).map((line) => line.split(' '));
    expect(new Set(seen.map(([partition]) => partition)).size).toBe(4);
    expect(seen.map(([, , value]) => Number(value)).sort((a, b) => a - b)).toEqual(times(400, (i) => i));
    const homes = new Map<string, Set<string>>();
    for (const [partition, key] of seen) homes.set(key, (homes.get(key) ?? new Set()).add(partition));
    expect([...homes.values()].every((home) => home.size === 1)).toBe(true);
  });

  it.each([
    ['all', '-1'],
    ['the leader', '1'],
    ['nobody', '0'],
  ])('writes with the acknowledgement of %s', async (_who, acks) => {
    const topic = await createTopic();
    await kcat(['-P', '-t', topic, '-X', `acks=${acks}`], { stdin: times(100, (i) => `${i}\n`).join('') });
    await eventually(async () => lines(await readAll(topic)).length === 100);
  });

  it('writes as an idempotent producer', async () => {
    const topic = await createTopic();
    const stdin = times(20_000, (i) => `${i}\n`).join('');
    const small = ['-X', 'batch.num.messages=100', '-X', 'linger.ms=1'];
    await kcat(['-P', '-t', topic, '-X', 'enable.idempotence=true', ...small], { stdin });
    expect(await readAll(topic)).toBe(stdin);
  });

  it('asks for offsets by time (-Q)', async () => {
    const topic = await createTopic();
    const producer = kafkajs(broker.bootstrapServers).producer();
    await producer.connect();
    for (const second of [1, 2, 3])
      await producer.send({ topic, messages: [{ value: 'x', timestamp: String(pastMs + second * 1000) }] });
    await producer.disconnect();
    const ask = async (time: number): Promise<string> => (await kcat(['-Q', '-t', `${topic}:0:${time}`])).trim();
    expect(await ask(pastMs + 2000)).toBe(`${topic} [0] offset 1`);
    expect(await ask(pastMs + 2500)).toBe(`${topic} [0] offset 2`);
    expect(await ask(-1)).toBe(`${topic} [0] offset 3`);
    expect(await ask(-2)).toBe(`${topic} [0] offset 0`);
    expect(await ask(pastMs + 86_400_000)).toBe(`${topic} [0] offset -1`);
  });

  it('reads from an offset, from the end backwards, a count, and between two times', async () => {
    const topic = await createTopic();
    await kcat(['-P', '-t', topic], { stdin: times(100, (i) => `${i}\n`).join('') });
    const read = async (...args: string[]): Promise<string[]> => lines(await kcat(['-C', '-q', '-t', topic, ...args]));
    expect(await read('-p', '0', '-o', '95', '-e')).toEqual(['95', '96', '97', '98', '99']);
    expect(await read('-p', '0', '-o', '-3', '-e')).toEqual(['97', '98', '99']);
    expect(await read('-p', '0', '-o', 'beginning', '-c', '2')).toEqual(['0', '1']);
    const [from, to] = [Date.now() - 600_000, Date.now() + 600_000];
    expect(await read('-p', '0', '-o', `s@${from}`, '-o', `e@${to}`, '-e')).toHaveLength(100);
  });

  it('consumes as a group (-G) and goes on behind the commit', async () => {
    const topic = await createTopic(3);
    const group = uniqueName('kcat-group');
    await kcat(['-P', '-t', topic], { stdin: times(30, (i) => `a${i}\n`).join('') });
    const consume = async (): Promise<string[]> =>
      lines(await kcat(['-G', group, '-q', '-e', '-X', 'auto.offset.reset=earliest', topic])).sort();
    expect(await consume()).toEqual(times(30, (i) => `a${i}`).sort());
    await kcat(['-P', '-t', topic], { stdin: 'b0\nb1\n' });
    expect(await consume()).toEqual(['b0', 'b1']);
  });

  it.each(['range', 'roundrobin', 'cooperative-sticky'])(
    'shares partitions between two members (%s)',
    async (strategy) => {
      const topic = await createTopic(4);
      const group = uniqueName('kcat-pair');
      const settings = ['-X', 'auto.offset.reset=earliest', '-X', `partition.assignment.strategy=${strategy}`];
      const args = ['-b', broker.bootstrapServers, '-G', group, '-u', '-f', '%p %s\n', ...settings, topic];
      const members = times(2, () => {
        const child = spawn('kcat', args, { stdio: ['ignore', 'pipe', 'pipe'] });
        const member = { child, output: '', said: '' };
        child.stdout.on('data', (chunk: Buffer) => {
          member.output += chunk.toString();
        });
        child.stderr.on('data', (chunk: Buffer) => {
          member.said += chunk.toString();
        });
        return member;
      });
      try {
        await eventually(async () => {
          const admin = kafkajs(broker.bootstrapServers).admin();
          await admin.connect();
          const [description] = (await admin.describeGroups([group])).groups;
          await admin.disconnect();
          const sizes = description.members.map((m) => m.memberAssignment.length);
          return description.state === 'Stable' && sizes.length === 2 && sizes.every((size) => size > 20);
        });
        // The members own two partitions each once the last rebalance has reached both.
        let round = 0;
        const partitionsOf = (output: string, prefix: string): string[] =>
          [
            ...new Set(
              lines(output)
                .filter((l) => l.includes(prefix))
                .map((l) => l.split(' ')[0]),
            ),
          ].sort();
        await eventually(async () => {
          const prefix = `round${round++}-`;
          for (const p of ['0', '1', '2', '3']) await kcat(['-P', '-t', topic, '-p', p], { stdin: `${prefix}${p}\n` });
          await eventually(() => members.flatMap((m) => partitionsOf(m.output, prefix)).length >= 4, 5000);
          return members.every((m) => partitionsOf(m.output, prefix).length === 2);
        });
      } finally {
        const ended = members.map((m) => new Promise((resolve) => m.child.once('exit', resolve)));
        for (const { child } of members) child.kill('SIGTERM');
        await Promise.all(ended);
      }
    },
  );
});
