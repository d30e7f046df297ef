/**
 * Exactly once under fire: a pipeline of Java's clients (Pipeline.java) copies a topic in transactions while its broker is killed again and
 * again. In the end the output has to name each record of the input once, in order.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OwnBroker } from '../brokers.ts';
import { ensureJars, javaArgs } from '../oracle/jars.ts';
import { run, runTool } from '../oracle/tool.ts';

const SOURCE = join(import.meta.dirname, 'Pipeline.java');
const INPUT = 'fire-input';
const OUTPUT = 'fire-output';
const GROUP = 'fire';
const PARTITIONS = 3;
/** How long the broker lives before it is killed, at most; half of that at least. */
const MAX_LIFE_MS = 2000;
/** After so many kills the output is looked at, so that a fault is found near its cause. */
const CHECK_EVERY = 5;
const CATCH_UP_TIMEOUT_MS = 120_000;

export interface FireOptions {
  readonly broker: OwnBroker;
  readonly kills: number;
  readonly seed: number;
  readonly report?: (line: string) => void;
}

export interface FireResult {
  readonly records: number;
  readonly transactions: number;
  /** How often the pipeline began anew. */
  readonly failures: number;
}

const command = (args: string[]): string[] => [...javaArgs(), SOURCE, ...args];

/** A Pipeline.java that runs until it is told to end; `lines` counts what it said. */
class Worker {
  private readonly child: ChildProcess;
  readonly lines = { committed: 0, failed: 0 };
  private said = '';

  constructor(args: string[]) {
    this.child = spawn('java', command(args), { stdio: ['pipe', 'pipe', 'pipe'] });
    const each = (chunk: Buffer) => {
      this.said = (this.said + chunk).slice(-2000);
      for (const line of String(chunk).split('\n')) {
        if (line.startsWith('committed')) this.lines.committed++;
        if (line.startsWith('failed')) this.lines.failed++;
      }
    };
    this.child.stdout?.on('data', each);
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.said = (this.said + chunk).slice(-2000);
    });
  }

  get lastWords(): string {
    return this.said;
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null) throw new Error(`it ended by itself:\n${this.said}`);
    const exited = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.stdin?.end();
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 30_000);
    await exited;
    clearTimeout(timer);
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }
}

/** Committed records by partition, in the order of their offsets. */
async function dump(broker: OwnBroker, topic: string): Promise<{ partition: number; offset: number; value: string }[]> {
  const { stdout, stderr, code } = await run('java', command(['dump', broker.bootstrapServers, topic]), {
    timeoutMs: CATCH_UP_TIMEOUT_MS,
  });
  if (code !== 0) throw new Error(`${topic} cannot be read:\n${stderr}`);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [partition, offset, ...value] = line.split(' ');
      return { partition: Number(partition), offset: Number(offset), value: value.join(' ') };
    });
}

async function createTopics({ bootstrapServers }: OwnBroker): Promise<void> {
  for (const topic of [INPUT, OUTPUT]) {
    const args = [
      '--bootstrap-server',
      bootstrapServers,
      '--create',
      '--topic',
      topic,
      '--partitions',
      String(PARTITIONS),
    ];
    const { code, stderr } = await runTool('org.apache.kafka.tools.TopicCommand', args);
    if (code !== 0) throw new Error(`${topic} cannot be created:\n${stderr}`);
  }
}

/** A small generator, so that a seed gives the same lives. */
function* lives(seed: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield MAX_LIFE_MS / 2 + (state % (MAX_LIFE_MS / 2));
  }
}

/** Throws where a record of the input is missing in the output, there twice, or out of order. */
export async function exactlyOnceUnderFire(options: FireOptions): Promise<FireResult> {
  const { broker, kills, seed, report = () => {} } = options;
  ensureJars();
  await createTopics(broker);
  const copy = new Worker(['copy', broker.bootstrapServers, INPUT, OUTPUT, GROUP, String(seed)]);
  const feed = new Worker(['feed', broker.bootstrapServers, INPUT]);
  try {
    const lifeMs = lives(seed);
    for (let kill = 1; kill <= kills; kill++) {
      const before = copy.lines.committed;
      // Each life sees some transactions, however long clients take to come back.
      const deadlineMs = performance.now() + CATCH_UP_TIMEOUT_MS;
      while (copy.lines.committed - before < 3) {
        if (performance.now() > deadlineMs) throw new Error(`nothing is committed any more:\n${copy.lastWords}`);
        await sleep(20);
      }
      await sleep(lifeMs.next().value);
      await broker.kill();
      await broker.restart();
      if (kill % CHECK_EVERY === 0) {
        checkSoFar(await dump(broker, OUTPUT));
        report(`${kill} kills, ${copy.lines.committed} transactions`);
      }
    }
    await feed.end();
    const input = await dump(broker, INPUT);
    await untilCopied(broker, input.length);
    await copy.end();
    compare(input, await dump(broker, OUTPUT));
    return { records: input.length, transactions: copy.lines.committed, failures: copy.lines.failed };
  } finally {
    copy.kill();
    feed.kill();
  }
}

async function untilCopied(broker: OwnBroker, records: number): Promise<void> {
  const deadlineMs = performance.now() + CATCH_UP_TIMEOUT_MS;
  while ((await dump(broker, OUTPUT)).length < records) {
    if (performance.now() > deadlineMs) return; // compare() says what is missing
    await sleep(500);
  }
}

/** What is there of the output: the input has no gaps in its offsets, so each record names the one behind the last. */
function checkSoFar(output: Awaited<ReturnType<typeof dump>>): void {
  const next = Array.from({ length: PARTITIONS }, () => 0);
  for (const { partition, offset, value } of output) {
    const expected = `${partition}/${next[partition]++}`;
    if (value !== expected)
      throw new Error(`partition ${partition}, offset ${offset}: ${value} in the place of ${expected}`);
  }
}

function compare(input: Awaited<ReturnType<typeof dump>>, output: typeof input): void {
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const expected = input.filter((one) => one.partition === partition).map(({ offset }) => `${partition}/${offset}`);
    const found = output.filter((one) => one.partition === partition).map(({ value }) => value);
    for (let i = 0; i < Math.max(expected.length, found.length); i++) {
      if (expected[i] === found[i]) continue;
      const counts = `${expected.length} in, ${found.length} out`;
      throw new Error(`partition ${partition}, record ${i}: ${found[i]} in the place of ${expected[i]} (${counts})`);
    }
  }
}
