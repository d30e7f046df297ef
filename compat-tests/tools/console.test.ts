import { expect, it } from 'vitest';
import { times, uniqueName } from '../helpers.ts';
import { describeTools, lines } from './tools.ts';

describeTools('kafka-console-producer and -consumer', ({ tool }) => {
  const produce = (topic: string, stdin: string, ...args: string[]): Promise<string> =>
    tool('ConsoleProducer', ['--topic', topic, ...args], { stdin });
  const consume = async (topic: string, count: number, ...args: string[]): Promise<string[]> =>
    lines(await tool('consumer.ConsoleConsumer', ['--topic', topic, '--max-messages', String(count), ...args])).filter(
      (line) => !line.startsWith('The consumer rebalance protocol'),
    );

  it('carry keys, headers and null values; the group continues behind its commit', async () => {
    const topic = uniqueName('console');
    const group = uniqueName('console-group');
    const parse = ['parse.key=true', 'key.separator=:', 'parse.headers=true', 'null.marker=NULL'];
    await produce(topic, 'h1:x,h2:y\tk1:v1\nh1:z\tk2:NULL\n', ...parse.flatMap((p) => ['--reader-property', p]));
    const print = [
      'print.key=true',
      'print.offset=true',
      'print.partition=true',
      'print.headers=true',
      'null.literal=(null)',
    ];
    const shown = await consume(
      topic,
      2,
      '--from-beginning',
      '--group',
      group,
      ...print.flatMap((p) => ['--formatter-property', p]),
    );
    expect(shown).toEqual(['Partition:0\tOffset:0\th1:x,h2:y\tk1\tv1', 'Partition:0\tOffset:1\th1:z\tk2\t(null)']);
    await produce(topic, 'third\n');
    expect(await consume(topic, 1, '--group', group)).toEqual(['third']);
  });

  it.each(['gzip', 'snappy', 'lz4', 'zstd'])('compress with %s', async (codec) => {
    const topic = uniqueName('console');
    await produce(topic, times(500, (i) => `line ${i}\n`).join(''), '--compression-codec', codec);
    expect(await consume(topic, 500, '--from-beginning')).toEqual(times(500, (i) => `line ${i}`));
  });

  it('read one partition from an offset, and with the consumer protocol of KIP-848 off', async () => {
    const topic = uniqueName('console');
    await produce(topic, times(10, (i) => `${i}\n`).join(''));
    expect(await consume(topic, 3, '--partition', '0', '--offset', '7')).toEqual(['7', '8', '9']);
    const classic = [
      '--command-property',
      'group.protocol=classic',
      '--command-property',
      'isolation.level=read_committed',
    ];
    expect(await consume(topic, 2, '--from-beginning', ...classic)).toEqual(['0', '1']);
  });
});
