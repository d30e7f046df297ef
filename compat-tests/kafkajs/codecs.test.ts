import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { CompressionCodecs, CompressionTypes } from 'kafkajs';
import { compressFrameSync, decompressFrameSync } from 'lz4-napi';
import { compressSync, uncompressSync } from 'snappy';
import { expect, it } from 'vitest';
import { describeBrokers } from '../describe-brokers.ts';
import { times, uniqueName } from '../helpers.ts';
import { consumeAll, textOf, useKafkajs } from './clients.ts';

// kafkajs brings gzip; the others are registered by its users. Its batches hold raw snappy, one block without a frame.
type EncodedBatch = { buffer: Buffer };
const codec = (compress: (data: Buffer) => Buffer, decompress: (data: Buffer) => Buffer) => () => ({
  compress: async ({ buffer }: EncodedBatch) => compress(buffer),
  decompress: async (buffer: Buffer) => decompress(buffer),
});
CompressionCodecs[CompressionTypes.Snappy] = codec(compressSync, (data) => uncompressSync(data) as Buffer);
CompressionCodecs[CompressionTypes.LZ4] = codec((data) => compressFrameSync(data), decompressFrameSync);
CompressionCodecs[CompressionTypes.ZSTD] = codec(zstdCompressSync, zstdDecompressSync);

const all = [
  ['none', CompressionTypes.None],
  ['gzip', CompressionTypes.GZIP],
  ['snappy', CompressionTypes.Snappy],
  ['lz4', CompressionTypes.LZ4],
  ['zstd', CompressionTypes.ZSTD],
] as const;

describeBrokers('kafkajs compresses', (broker) => {
  const clients = useKafkajs(() => broker.bootstrapServers);
  const messages = times(100, (i) => ({ key: `k${i}`, value: `message ${i} ${'-'.repeat(i)}` }));

  it.each(all)('with %s, batch by batch', async (_name, compression) => {
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
    for (const [name, compression] of all) await producer.send({ topic, compression, messages: [{ value: name }] });
    const received = await consumeAll(await clients.consumer({ groupId: uniqueName('g') }), [topic], all.length);
    expect(received.map(textOf)).toEqual(all.map(([name]) => name));
  });
});
