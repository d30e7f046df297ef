/**
 * Many groups that commit offsets: each connection commits for its groups in turn, waits for the answer, and goes on.
 *
 *   node scripts/bench/commits.ts --port 9092 --topic t [--groups 1000] [--partitions 10] [--connections 50] [--seconds 4]
 *     [--warmup-seconds 1] [--once 1]
 *
 * A commit is one OffsetCommit request for --partitions partitions. With --once every group commits once and that is all. Prints one line of
 * JSON (CommitsResult).
 */
import { parseArgs } from 'node:util';
import { Caller } from './connection.ts';
import {
  ERROR_NONE,
  findCoordinatorRequest,
  isCommitted,
  offsetCommitRequest,
  readFindCoordinator,
} from './group-wire.ts';
import { percentile } from './statistics.ts';

export interface CommitsResult {
  commits: number;
  /** Commits a second. */
  rate: number;
  /** From the request to its answer, in milliseconds. */
  p99: number;
}

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '9092' },
    topic: { type: 'string' },
    groups: { type: 'string', default: '1000' },
    partitions: { type: 'string', default: '10' },
    connections: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '4' },
    'warmup-seconds': { type: 'string', default: '1' },
    once: { type: 'string', default: '0' },
  },
});

const RETRY_SECONDS = 0.05;
const topic = options.topic ?? '';
const partitions = Array.from({ length: Number(options.partitions) }, (_, partition) => partition);
const groupCount = Number(options.groups);
const connectionCount = Number(options.connections);
const tookMs: number[] = [];
let measuring = false;
let isOver = false;

async function commit(caller: Caller, group: number, offset: number): Promise<void> {
  const startMs = performance.now();
  const request = offsetCommitRequest(groupName(group), topic, partitions, offset);
  while (!isCommitted(await caller.call(request))) await pause(RETRY_SECONDS);
  if (measuring) tookMs.push(performance.now() - startMs);
}

const groupName = (group: number): string => `bench-group-${group}`;

/** The groups of one connection: every so-manieth. */
async function commitFor(index: number): Promise<void> {
  const caller = new Caller(Number(options.port));
  for (let offset = 1; !isOver; offset++) {
    for (let group = index; group < groupCount && !isOver; group += connectionCount)
      await commit(caller, group, offset);
    if (options.once === '1') break;
  }
  caller.close();
}

async function waitForCoordinator(): Promise<void> {
  const caller = new Caller(Number(options.port));
  while (readFindCoordinator(await caller.call(findCoordinatorRequest(groupName(0)))) !== ERROR_NONE) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  caller.close();
}

async function run(): Promise<CommitsResult> {
  await waitForCoordinator();
  const isOnce = options.once === '1';
  measuring = isOnce;
  let startMs = performance.now();
  const committing = Promise.all(Array.from({ length: connectionCount }, (_, index) => commitFor(index)));
  if (!isOnce) {
    await Promise.race([pause(Number(options['warmup-seconds'])), committing]);
    measuring = true;
    startMs = performance.now();
    await Promise.race([pause(Number(options.seconds)), committing]);
    measuring = false;
    isOver = true;
  }
  const seconds = (performance.now() - startMs) / 1000;
  await committing;
  const endSeconds = isOnce ? (performance.now() - startMs) / 1000 : seconds;
  tookMs.sort((a, b) => a - b);
  return { commits: tookMs.length, rate: tookMs.length / endSeconds, p99: percentile(tookMs, 99) };
}

const pause = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

console.log(JSON.stringify(await run()));
