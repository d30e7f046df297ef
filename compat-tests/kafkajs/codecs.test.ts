import { expect, it } from 'vitest';
import { describeBrokers } from '../describe-brokers.ts';
import { times, uniqueName } from '../helpers.ts';
import { consumeAll, textOf, useKafkajs } from './clients.ts';
import { codecs, registerCodecs } from './codecs.ts';

registerCodecs();

describeBrokers('kafkajs compresses', (broker) => {
  const clients = useKafkajs(() => broker.bootstrapServers);
  const messages = times(100, (i) => ({ key: `k${i}`, value: `message ${i} ${'-'.repeat(i)}` }));

  it.each(codecs)('with %s, batch by batch', async (_name, compression) => {
    const topic = uniqueName('codec');
    const producer = await clients.producer();
    for (let i = 0; i < messages.length; i += 25)
      await producer.send({ topic, compression, messages: messages.slice(i, i + 25) });
    const received = await consumeAll(await clients.consumer({ groupId: uniqueName('g') }), [topic], 100);
    expect(received.map(textOf)).toEqual(messages.map((m) => m.value));
    expect(received.map((r) => r.message.offset)).toEqual(times(100, String));
  });

  it('with every codec in turn on one partition', async () => {
    const topic = uniqueName('codecs');
    const producer = await clients.producer({ idempotent: true });
    for (const [name, compression] of codecs) await producer.send({ topic, compression, messages: [{ value: name }] });
    const received = await consumeAll(await clients.consumer({ groupId: uniqueName('g') }), [topic], codecs.length);
    expect(received.map(textOf)).toEqual(codecs.map(([name]) => name));
  });
});
