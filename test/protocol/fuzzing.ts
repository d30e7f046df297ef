/**
 * Mutated frames, batches and message sets, and what reading them may end in: a value or a MalformedError, soon, and with
 * memory in proportion to the input. Used by the tests with small numbers and by scripts/fuzz.ts with large ones.
 */
import { codec, decode, encode, versionsOf } from '../../protocol/compile.ts';
import { bytesOf } from '../../protocol/deferred-bytes.ts';
import { FrameSplitter, requestFrame, responseFrame } from '../../protocol/frame.ts';
import { readRequestHeader, readResponseHeader } from '../../protocol/header.ts';
import { stringifyJson, toJson } from '../../protocol/json.ts';
import { MalformedError } from '../../protocol/malformed.ts';
import { type ApiKey, apis } from '../../protocol/messages/index.ts';
import { Reader } from '../../protocol/reader.ts';
import * as batch from '../../protocol/records/batch.ts';
import { CompressionType, type CompressionTypeId } from '../../protocol/records/batch.ts';
import { checkBatches, checkProducedBatch, setCrc } from '../../protocol/records/check.ts';
import { RecordChecker } from '../../protocol/records/check-records.ts';
import { readRecords } from '../../protocol/records/decode.ts';
import { encodeBatch } from '../../protocol/records/encode.ts';
import { readLegacyRecords } from '../../protocol/records/legacy.ts';
import type { Message } from '../../protocol/schema.ts';
import { randomFrom, randomMessage } from './random-message.ts';

const MAX_FRAME_BYTES = 1 << 20;
const SAMPLES_EACH = 3;
/** One in so many values is written and read again. */
const WRITE_AGAIN = 8;
const rules = {
  topic: 't',
  index: 0,
  compacted: true,
  logAppendTime: false,
  timestampBeforeMaxMs: 1e15,
  timestampAfterMaxMs: 1e15,
};

/** One unmutated input and what reads it. */
interface Target {
  readonly name: string;
  readonly bytes: Buffer;
  read(bytes: Buffer): void;
}

export interface FuzzResult {
  frames: number;
  values: number;
  malformed: number;
  slowestMs: number;
  slowest: string;
  /** What must not be: anything but a value or a MalformedError, with the input in hex. */
  readonly failures: string[];
}

export class Fuzzer {
  readonly result: FuzzResult = { frames: 0, values: 0, malformed: 0, slowestMs: 0, slowest: '', failures: [] };
  private readonly random: () => number;
  private readonly targets: Target[];

  /** `legacySets`: message sets of format v0 and v1 to mutate, too. */
  constructor(seed: number, legacySets: readonly Buffer[] = []) {
    this.random = randomFrom(seed);
    this.targets = [...this.frames(), ...this.batches(), ...legacySets.map(legacyTarget)];
  }

  run(count: number): void {
    for (let i = 0; i < count; i++) {
      const target = this.targets[this.below(this.targets.length)];
      this.try(target, this.mutate(target.bytes));
    }
  }

  private try(target: Target, bytes: Buffer): void {
    const { result } = this;
    const begin = performance.now();
    result.frames++;
    try {
      target.read(bytes);
      result.values++;
    } catch (error) {
      if (error instanceof MalformedError) result.malformed++;
      else result.failures.push(`${target.name}: ${(error as Error).stack}\n${bytes.toString('hex')}`);
    }
    this.noteTime(target, bytes, performance.now() - begin);
  }

  /** On a busy machine the time of one run says little: what was slow is run twice more, and the least counts. */
  private noteTime(target: Target, bytes: Buffer, firstMs: number): void {
    const { result } = this;
    let ms = firstMs;
    for (let again = 0; again < 2 && ms > result.slowestMs; again++) {
      const begin = performance.now();
      try {
        target.read(bytes);
      } catch {
        // what it ends in has been counted
      }
      ms = Math.min(ms, performance.now() - begin);
    }
    if (ms > result.slowestMs) {
      result.slowestMs = ms;
      result.slowest = target.name;
    }
  }

  private *frames(): Generator<Target> {
    for (const [key, api] of Object.entries(apis)) {
      for (const [kind, message] of Object.entries(api) as ['request' | 'response', Message][]) {
        const [lowest, highest] = versionsOf(message);
        for (let version = lowest; version <= highest; version++) {
          for (let i = 0; i < SAMPLES_EACH; i++) {
            const value = randomMessage(message, version, this.random);
            const frame =
              kind === 'request'
                ? requestFrame(message, version, 7, 'fuzz', value)
                : responseFrame(message, version, 7, value).map(bytesOf);
            yield {
              name: `${message.name} version ${version}`,
              bytes: Buffer.concat(frame),
              read: (bytes) => this.readFrames(bytes, kind, Number(key) as ApiKey, version),
            };
          }
        }
      }
    }
  }

  /** As a connection does: from chunks to frames, from frames to header and body. */
  private readFrames(bytes: Buffer, kind: 'request' | 'response', apiKey: ApiKey, version: number): void {
    const splitter = new FrameSplitter(MAX_FRAME_BYTES);
    for (let at = 0; at < bytes.length; ) {
      const end = this.random() < 0.7 ? bytes.length : at + 1 + this.below(bytes.length - at);
      splitter.push(bytes.subarray(at, end));
      for (let frame = splitter.next(); frame !== null; frame = splitter.next()) {
        if (kind === 'request') this.readRequest(frame);
        else this.readResponse(frame, apiKey, version);
      }
      at = end;
    }
  }

  private readRequest(frame: Buffer): void {
    const reader = new Reader(frame);
    const { apiKey, apiVersion } = readRequestHeader(reader);
    const { request } = apis[apiKey as ApiKey];
    const [lowest, highest] = versionsOf(request);
    if (apiVersion < lowest || apiVersion > highest) throw new MalformedError('unsupported version');
    this.readBody(reader, request, apiVersion);
  }

  private readResponse(frame: Buffer, apiKey: ApiKey, version: number): void {
    const reader = new Reader(frame);
    readResponseHeader(reader, apiKey, version);
    this.readBody(reader, apis[apiKey].response, version);
  }

  private readBody(reader: Reader, message: Message, version: number): void {
    const value = codec(message, version).read(reader);
    if (this.below(WRITE_AGAIN) > 0) return;
    const written = encode(message, version, value);
    const again = decode(message, version, written);
    const json = stringifyJson(toJson(message, version, value));
    if (stringifyJson(toJson(message, version, again)) !== json) throw new Error(`not what was written: ${json}`);
  }

  private *batches(): Generator<Target> {
    for (const compression of Object.values(CompressionType) as CompressionTypeId[]) {
      for (let i = 0; i < 40; i++) {
        const records = Array.from({ length: 1 + this.below(20) }, () => ({
          key: this.random() < 0.8 ? Buffer.alloc(this.below(10), 1) : null,
          value: Buffer.alloc(this.below(200), this.below(256)),
          timestamp: this.below(1e9),
          headers: this.random() < 0.3 ? [{ key: 'h', value: null }] : [],
        }));
        yield {
          name: `batch, compression ${compression}`,
          bytes: encodeBatch(records, { compression }),
          read: (bytes) => this.readBatch(bytes),
        };
      }
    }
  }

  private readBatch(bytes: Buffer): void {
    // most damage is found by the CRC: often make it right, to reach what comes after
    const whole = bytes.length >= batch.BATCH_HEADER_BYTES && batch.sizeBytes(bytes, 0) === bytes.length;
    if (whole && this.random() < 0.9) setCrc(bytes, 0);
    checkBatches(bytes);
    if (checkProducedBatch(bytes, 9) !== null) throw new MalformedError('refused');
    new RecordChecker().check(bytes, 0, rules, 0);
    readRecords(bytes, 0, MAX_FRAME_BYTES);
  }

  private mutate(original: Buffer): Buffer {
    let bytes: Buffer = Buffer.from(original);
    const times = 1 + this.below(4);
    for (let i = 0; i < times && bytes.length > 0; i++) bytes = this.mutateOnce(bytes);
    // the size field in front is right again in most cases, to reach what comes after
    if (bytes.length >= 4 && this.random() < 0.8 && original.readInt32BE(0) === original.length - 4) {
      bytes.writeInt32BE(bytes.length - 4, 0);
    }
    return bytes;
  }

  private mutateOnce(bytes: Buffer): Buffer {
    const at = this.below(bytes.length);
    const size = this.below(Math.min(16, bytes.length - at) + 1);
    switch (this.below(7)) {
      case 0:
        bytes[at] ^= 1 << this.below(8);
        return bytes;
      case 1:
        bytes[at] = this.below(256);
        return bytes;
      case 2:
        if (at + 4 <= bytes.length) bytes.writeInt32BE(EXTREMES[this.below(EXTREMES.length)], at);
        return bytes;
      case 3:
        return bytes.subarray(0, at);
      case 4:
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + size)]);
      case 5:
        return Buffer.concat([bytes.subarray(0, at + size), bytes.subarray(at)]);
      default:
        return bytes.fill(this.random() < 0.5 ? 0xff : 0, at, at + size);
    }
  }

  private below(n: number): number {
    return Math.floor(this.random() * n);
  }
}

const EXTREMES = [-1, 0, 1, 0x7fff_ffff, -0x8000_0000, 0x00ff_ffff, 0x7fff, 0x1_0000, -2];

function legacyTarget(bytes: Buffer): Target {
  return {
    name: `message set of magic ${batch.magic(bytes, 0)}`,
    bytes,
    read: (mutated) => {
      readLegacyRecords(mutated, 0, MAX_FRAME_BYTES);
    },
  };
}
