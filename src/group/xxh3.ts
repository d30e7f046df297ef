/**
 * XXH3 with 64 bits and seed 0, as its specification says (xxHash, doc/xxhash_spec.md). Lanes of 64 bits are bigints:
 * good for some MB/s, for what is hashed seldom.
 */

const PRIME32_1 = 0x9e3779b1n;
const PRIME32_2 = 0x85ebca77n;
const PRIME32_3 = 0xc2b2ae3dn;
const PRIME64_1 = 0x9e3779b185ebca87n;
const PRIME64_2 = 0xc2b2ae3d27d4eb4fn;
const PRIME64_3 = 0x165667b19e3779f9n;
const PRIME64_4 = 0x85ebca77c2b2ae63n;
const PRIME64_5 = 0x27d4eb2f165667c5n;
const PRIME_MX1 = 0x165667919e3779f9n;
const PRIME_MX2 = 0x9fb21c651e98df25n;

/** The default secret: 192 bytes. */
const SECRET = Buffer.from(
  'b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221' +
    'b8084674f743248ee03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8' +
    'a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb' +
    '170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e',
  'hex',
);

const STRIPE_BYTES = 64;
const LANES = 8;
/** The secret moves on by 8 bytes a stripe; where it ends, so does a block. */
const STRIPES_A_BLOCK = (SECRET.length - STRIPE_BYTES) / 8;
const BLOCK_BYTES = STRIPES_A_BLOCK * STRIPE_BYTES;

const LOW_32 = 0xffff_ffffn;
const LOW_64 = 0xffff_ffff_ffff_ffffn;

const lane = (bytes: Buffer, at: number): bigint => bytes.readBigUInt64LE(at);
const secret = (at: number): bigint => SECRET.readBigUInt64LE(at);

/** The hash as an unsigned number of 64 bits. */
export function xxh3(input: Buffer): bigint {
  const size = input.length;
  if (size === 0) return avalanche64(secret(56) ^ secret(64));
  if (size <= 3) return upTo3(input);
  if (size <= 8) return upTo8(input);
  if (size <= 16) return upTo16(input);
  if (size <= 128) return upTo128(input);
  if (size <= 240) return upTo240(input);
  return long(input);
}

function upTo3(input: Buffer): bigint {
  const size = input.length;
  const combined = input[size - 1] | (size << 8) | (input[0] << 16) | (input[size >> 1] << 24);
  const flip = BigInt(SECRET.readUInt32LE(0) ^ SECRET.readUInt32LE(4)) & LOW_32;
  return avalanche64(BigInt(combined >>> 0) ^ flip);
}

function upTo8(input: Buffer): bigint {
  const size = input.length;
  const combined = BigInt(input.readUInt32LE(size - 4)) | (BigInt(input.readUInt32LE(0)) << 32n);
  let value = combined ^ secret(8) ^ secret(16);
  value ^= rotate(value, 49n) ^ rotate(value, 24n);
  value = (value * PRIME_MX2) & LOW_64;
  value ^= ((value >> 35n) + BigInt(size)) & LOW_64;
  value = (value * PRIME_MX2) & LOW_64;
  return value ^ (value >> 28n);
}

function upTo16(input: Buffer): bigint {
  const size = input.length;
  const low = lane(input, 0) ^ secret(24) ^ secret(32);
  const high = lane(input, size - 8) ^ secret(40) ^ secret(48);
  return avalanche(BigInt(size) + swapBytes(low) + high + foldedProduct(low, high));
}

function upTo128(input: Buffer): bigint {
  const size = input.length;
  let sum = BigInt(size) * PRIME64_1;
  for (let i = Math.ceil(size / 32) - 1; i >= 0; i--) {
    sum += mixed(input, i * 16, i * 32) + mixed(input, size - (i + 1) * 16, i * 32 + 16);
  }
  return avalanche(sum);
}

function upTo240(input: Buffer): bigint {
  const size = input.length;
  let sum = BigInt(size) * PRIME64_1;
  for (let i = 0; i < 8; i++) sum += mixed(input, i * 16, i * 16);
  sum = avalanche(sum);
  for (let i = 8; i < Math.floor(size / 16); i++) sum += mixed(input, i * 16, (i - 8) * 16 + 3);
  return avalanche(sum + mixed(input, size - 16, 136 - 17));
}

/** 16 bytes of the input with as many of the secret. */
function mixed(input: Buffer, at: number, secretAt: number): bigint {
  return foldedProduct(lane(input, at) ^ secret(secretAt), lane(input, at + 8) ^ secret(secretAt + 8));
}

function long(input: Buffer): bigint {
  const lanes = new BigUint64Array([
    PRIME32_3,
    PRIME64_1,
    PRIME64_2,
    PRIME64_3,
    PRIME64_4,
    PRIME32_2,
    PRIME64_5,
    PRIME32_1,
  ]);
  const lastStripeAt = input.length - STRIPE_BYTES;
  // the last stripe, whole or not, is taken from the end
  const stripes = Math.floor((input.length - 1) / STRIPE_BYTES);
  for (let i = 0; i < stripes; i++) {
    const at = i * STRIPE_BYTES;
    accumulate(lanes, input, at, (i % STRIPES_A_BLOCK) * 8);
    if ((at + STRIPE_BYTES) % BLOCK_BYTES === 0) scramble(lanes);
  }
  accumulate(lanes, input, lastStripeAt, SECRET.length - STRIPE_BYTES - 7);
  return merge(lanes, BigInt(input.length) * PRIME64_1);
}

function accumulate(lanes: BigUint64Array, input: Buffer, at: number, secretAt: number): void {
  for (let i = 0; i < LANES; i++) {
    const value = lane(input, at + i * 8);
    const keyed = value ^ secret(secretAt + i * 8);
    lanes[i ^ 1] += value;
    lanes[i] += (keyed & LOW_32) * (keyed >> 32n);
  }
}

function scramble(lanes: BigUint64Array): void {
  const secretAt = SECRET.length - STRIPE_BYTES;
  for (let i = 0; i < LANES; i++) {
    lanes[i] = (lanes[i] ^ (lanes[i] >> 47n) ^ secret(secretAt + i * 8)) * PRIME32_1;
  }
}

function merge(lanes: BigUint64Array, start: bigint): bigint {
  let sum = start;
  for (let i = 0; i < LANES; i += 2) {
    sum += foldedProduct(lanes[i] ^ secret(11 + i * 8), lanes[i + 1] ^ secret(11 + (i + 1) * 8));
  }
  return avalanche(sum);
}

/** The product of 128 bits, its halves combined. */
function foldedProduct(a: bigint, b: bigint): bigint {
  const product = a * b;
  return (product & LOW_64) ^ (product >> 64n);
}

function avalanche(sum: bigint): bigint {
  let value = sum & LOW_64;
  value = ((value ^ (value >> 37n)) * PRIME_MX1) & LOW_64;
  return value ^ (value >> 32n);
}

/** The one that XXH64 ends with. */
function avalanche64(start: bigint): bigint {
  let value = ((start ^ (start >> 33n)) * PRIME64_2) & LOW_64;
  value = ((value ^ (value >> 29n)) * PRIME64_3) & LOW_64;
  return value ^ (value >> 32n);
}

function rotate(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & LOW_64;
}

function swapBytes(value: bigint): bigint {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes.readBigUInt64BE(0);
}
