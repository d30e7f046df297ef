import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { CompressionCodecs, CompressionTypes } from 'kafkajs';
import { compressFrameSync, decompressFrameSync } from 'lz4-napi';
import { compressSync, uncompressSync } from 'snappy';

/** The five codecs as kafkajs numbers them. */
export const codecs = [
  ['none', CompressionTypes.None],
  ['gzip', CompressionTypes.GZIP],
  ['snappy', CompressionTypes.Snappy],
  ['lz4', CompressionTypes.LZ4],
  ['zstd', CompressionTypes.ZSTD],
] as const;

type EncodedBatch = { buffer: Buffer };
const codec = (compress: (data: Buffer) => Buffer, decompress: (data: Buffer) => Buffer) => () => ({
  compress: async ({ buffer }: EncodedBatch) => compress(buffer),
  decompress: async (buffer: Buffer) => decompress(buffer),
});

const xerialMagic = Buffer.from('\x82SNAPPY\0', 'latin1');
const XERIAL_HEADER_BYTES = 16;

/** Brokers and Java clients put blocks into a frame (magic, two versions, then length and block in turn); others do not. */
function uncompressSnappy(data: Buffer): Buffer {
  if (!data.subarray(0, xerialMagic.length).equals(xerialMagic)) return uncompressSync(data) as Buffer;
  const blocks: Buffer[] = [];
  for (let at = XERIAL_HEADER_BYTES; at < data.length; at += 4 + data.readInt32BE(at))
    blocks.push(uncompressSync(data.subarray(at + 4, at + 4 + data.readInt32BE(at))) as Buffer);
  return Buffer.concat(blocks);
}

/** kafkajs brings gzip; its users register the others. What it sends holds raw snappy, one block without a frame. */
export function registerCodecs(): void {
  CompressionCodecs[CompressionTypes.Snappy] = codec(compressSync, uncompressSnappy);
  CompressionCodecs[CompressionTypes.LZ4] = codec((data) => compressFrameSync(data), decompressFrameSync);
  CompressionCodecs[CompressionTypes.ZSTD] = codec(zstdCompressSync, zstdDecompressSync);
}
