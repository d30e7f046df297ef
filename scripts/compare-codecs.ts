#!/usr/bin/env node
/**
 * Holds our codecs against Kafka's generated ones, both ways, in every version of every message:
 *
 *   - Kafka's random messages: our reading of the bytes gives Kafka's JSON, our writing of the JSON gives Kafka's bytes;
 *   - ours: Kafka reads our bytes as our JSON, and writes our JSON as our bytes.
 *
 *   node scripts/compare-codecs.ts [--per N] [--seeds A,B,C]      N samples a version (20), three fresh seeds by default
 *
 * Needs Java 17 and, the first time, Maven (compat-tests/oracle). Exits with 1 where there is a difference.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { allMessages } from '../protocol/all-messages.ts';
import { decode, encode, versionsOf } from '../protocol/compile.ts';
import { RequestHeader, ResponseHeader } from '../protocol/header-schemas.ts';
import { fromJson, type JsonObject, parseJson, stringifyJson, toJson } from '../protocol/json.ts';
import type { Message } from '../protocol/schema.ts';
import { randomFrom, randomMessage } from '../test/protocol/random-message.ts';

const { values: args } = parseArgs({ options: { per: { type: 'string', default: '20' }, seeds: { type: 'string' } } });
const per = Number(args.per);
const seeds = args.seeds?.split(',').map(Number) ?? Array.from({ length: 3 }, () => Math.floor(Math.random() * 1e9));

const messages = new Map<string, Message>(allMessages);
for (const header of [RequestHeader, ResponseHeader]) messages.set(header.name, header);

const SHOWN_DIFFERENCES = 20;
let differences = 0;

function differ(what: string, ours: string, theirs: string): void {
  if (++differences > SHOWN_DIFFERENCES) return;
  const at = [...ours].findIndex((letter, i) => letter !== theirs[i]);
  const from = Math.max(0, at - 60);
  console.log(
    `${what}: differs at ${at}\n  ours  ${ours.slice(from, at + 100)}\n  Kafka ${theirs.slice(from, at + 100)}`,
  );
}

/** What `run` returns, or the error in its place, so that it is shown as a difference. */
function attempt(run: () => string): string {
  try {
    return run();
  } catch (error) {
    return String(error);
  }
}

/** Runs a verb of Kafka's codecs; hands on each line of the answer as it comes. */
async function oracle(verb: string[], input: Iterable<string>, onLine: (line: string) => void): Promise<void> {
  const main = join(import.meta.dirname, '../compat-tests/oracle/main.ts');
  const child = spawn(process.execPath, [main, 'codec', ...verb], { stdio: ['pipe', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const lines = createInterface({ input: child.stdout });
  lines.on('line', onLine);
  for (const line of input) {
    if (!child.stdin.write(`${line}\n`)) await once(child.stdin, 'drain');
  }
  child.stdin.end();
  const [code] = await closed;
  if (code !== 0) throw new Error(`the oracle ended with ${code}`);
}

async function compareTheirs(seed: number): Promise<number> {
  let samples = 0;
  const seen = new Set<string>();
  await oracle(['gen', String(per), String(seed)], [], (line) => {
    samples++;
    const sample = parseJson(line) as JsonObject;
    const {
      message: name,
      version,
      hex,
      json,
    } = sample as { message: string; version: number; hex: string } & JsonObject;
    const message = messages.get(name);
    if (message === undefined) return differ(name, 'not declared', name);
    seen.add(`${name} ${version}`);
    const read = attempt(() =>
      stringifyJson(toJson(message, version, decode(message, version, Buffer.from(hex, 'hex')))),
    );
    const theirs = stringifyJson(json);
    if (read !== theirs) differ(`reading ${name} version ${version}`, read, theirs);
    const written = attempt(() => encode(message, version, fromJson(message, version, json)).toString('hex'));
    if (written !== hex) differ(`writing ${name} version ${version}`, written, hex);
  });
  for (const [message, version] of everyVersion()) {
    const key = `${message.name} ${version}`;
    if (!seen.has(key)) differ(key, 'declared', 'no sample');
  }
  return samples;
}

function* everyVersion(): Generator<[Message, number]> {
  for (const message of messages.values()) {
    const [lowest, highest] = versionsOf(message);
    for (let version = lowest; version <= highest; version++) yield [message, version];
  }
}

interface Sample {
  what: string;
  hex: string;
  json: string;
  question: string;
}

function ourSamples(seed: number): Sample[] {
  const random = randomFrom(seed);
  const samples: Sample[] = [];
  for (const [message, version] of everyVersion()) {
    for (let i = 0; i < per; i++) {
      const value = randomMessage(message, version, random, i === 0 ? 0 : i === 1 ? 1 : random());
      const what = `${message.name} version ${version}`;
      const hex = encode(message, version, value).toString('hex');
      const json = stringifyJson(toJson(message, version, value));
      samples.push({ what, hex, json, question: `{"message":"${message.name}","version":${version}` });
    }
  }
  return samples;
}

async function compareOurs(seed: number): Promise<number> {
  const samples = ourSamples(seed);
  const check = async (verb: 'decode' | 'encode', question: (s: Sample) => string, answer: (s: Sample) => string) => {
    let at = 0;
    await oracle([verb], samples.map(question), (line) => {
      const sample = samples[at++];
      const reply = parseJson(line) as JsonObject;
      const theirs =
        verb === 'decode' && reply.json !== undefined ? stringifyJson(reply.json) : String(reply.hex ?? line);
      if (theirs !== answer(sample)) differ(`Kafka's ${verb} of ${sample.what}`, answer(sample), theirs);
    });
    if (at !== samples.length) differ(`Kafka's ${verb}`, `${samples.length} answers`, `${at} answers`);
  };
  await check(
    'decode',
    (s) => `${s.question},"hex":"${s.hex}"}`,
    (s) => s.json,
  );
  await check(
    'encode',
    (s) => `${s.question},"json":${s.json}}`,
    (s) => s.hex,
  );
  return samples.length;
}

console.log(
  `${messages.size} messages, ${[...everyVersion()].length} versions, ${per} samples each, seeds ${seeds.join(',')}`,
);
for (const seed of seeds) {
  const theirs = await compareTheirs(seed);
  const ours = await compareOurs(seed);
  console.log(
    `seed ${seed}: ${theirs} of Kafka's samples, ${ours} of ours, both ways: ${differences} differences so far`,
  );
}
process.exitCode = differences === 0 ? 0 : 1;
