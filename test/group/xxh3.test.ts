import { expect, test } from 'vitest';
import { xxh3 } from '../../src/group/xxh3.ts';

/** Size of the input and its hash: recorded from hash4j 0.22.0, Hashing.xxh3_64().hashBytesToLong, as Kafka 4.3.1 has it. */
const RECORDED: readonly [number, string][] = [
  [0, '2d06800538d394c2'],
  [1, 'c44bdff4074eecdb'],
  [2, '433ce72a5f67ae52'],
  [3, '6811538b444fc6dc'],
  [4, 'ed503340c589a28b'],
  [5, '2c6f87f3768f01f3'],
  [7, 'cf5c76090b0bca8f'],
  [8, 'e5b43ab074c9c13b'],
  [9, '89b8d25b20fb877'],
  [15, '61744772dcd3c205'],
  [16, 'a0ec5ae8679cb7f'],
  [17, '57c52d21ce492c1e'],
  [31, '7a0589ca533ee8f0'],
  [32, '8e62a5f67100f10d'],
  [33, 'bc16fc6b42571f75'],
  [64, '7714914b0d794113'],
  [65, 'dd1752f723801bbc'],
  [96, '7f316343f379455b'],
  [97, 'c5de55821283dde'],
  [127, '1efa0b3872939b86'],
  [128, '696069c4f1e6a91a'],
  [129, 'b1ada52285757beb'],
  [143, '9e0a3a7f8ef42c36'],
  [144, '8d313a4964e287f0'],
  [160, '71dd5a1a41c505ee'],
  [175, 'cc1d3e8c0175e2b8'],
  [176, '244e4ffdd52a287f'],
  [200, '4f7ba561b80feff6'],
  [239, '8a1931b14a1bac40'],
  [240, 'b80284837259eee4'],
  [241, '44dbd3180a664e27'],
  [255, '942ab7e775f54aca'],
  [256, '266a2c816cbb31c5'],
  [257, '7e8b76f1ea8234b8'],
  [511, 'b92756a47e316571'],
  [512, 'b3ce5abefeb930b1'],
  [1023, 'f7eb9806eb4ad2fd'],
  [1024, 'd1abb5dbd52032f9'],
  [1025, 'a3908b116ddf0191'],
  [1087, '15e862ddbcf4da5e'],
  [1088, '73a4a4f20d1ada67'],
  [1089, '197d897222943730'],
  [2048, '597cefa098478059'],
  [2049, 'e09d2fe2edf7e1d5'],
  [4095, 'cc34d12bd8882905'],
  [100000, '3a0109e04c9ff5ba'],
];

test.each(RECORDED)('%i bytes', (size, hash) => {
  const input = Buffer.from(Uint8Array.from({ length: size }, (_, i) => i * 131 + (i >> 8) * 7));
  expect(xxh3(input).toString(16)).toBe(hash);
});
