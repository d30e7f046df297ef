import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Contestant } from '../../scripts/bench/broker.ts';
import { odradek } from '../../scripts/bench/contestants/odradek.ts';
import { cpuSeconds, openFiles, peakResidentMib, residentMib } from '../../scripts/bench/proc.ts';
import { Rounds } from '../../scripts/bench/rounds.ts';
import { QUICK, type Scenario } from '../../scripts/bench/scenario.ts';
import { start } from '../../scripts/bench/scenarios/start.ts';

const FAKE = fileURLToPath(new URL('./fake-broker.ts', import.meta.url));

function contestant(name: string, nodeFlags: string[] = []): Contestant {
  return {
    name,
    description: 'a fake',
    prepare: async () => {},
    command: (_directory, port) => ({ file: process.execPath, args: [...nodeFlags, FAKE, `${port}`] }),
  };
}

const failing: Scenario = {
  name: 'failing',
  title: 'fails',
  broker: 'own',
  metrics: [{ key: 'failing', label: '', unit: '', better: 'lower' }],
  run: () => Promise.reject(new Error('on purpose')),
};

const resources: Scenario = {
  name: 'resources',
  title: 'memory and CPU',
  broker: 'own',
  metrics: [
    { key: 'memory', label: '', unit: 'MiB', better: 'lower' },
    { key: 'cpu', label: '', unit: 's', better: 'lower' },
  ],
  run: async ({ broker }) => ({ memory: residentMib(broker.pid), cpu: cpuSeconds(broker.pid) }),
};

const again: Scenario = {
  name: 'again',
  title: 'ends a broker and starts it again',
  broker: 'own',
  needsDisk: true,
  once: true,
  metrics: [
    { key: 'again.peak', label: '', unit: 'MiB', better: 'lower' },
    { key: 'again.files', label: '', unit: 'files', better: 'lower' },
  ],
  async run({ broker, startAgain }) {
    await broker.kill();
    expect(broker.running).toBe(false);
    await broker.kill();
    const second = await startAgain(broker);
    expect([second.directory, second.port]).toEqual([broker.directory, broker.port]);
    expect(second.pid).not.toBe(broker.pid);
    expect(performance.now() - second.spawnedMs).toBeGreaterThan(second.startMs);
    const resident = residentMib(second.pid); // before the peak: it may grow in between
    const values = { 'again.peak': peakResidentMib(second.pid), 'again.files': openFiles(second.pid) };
    expect(values['again.peak']).toBeGreaterThanOrEqual(resident);
    await second.stop();
    return values;
  },
};

/** A port that the system says is free; the bench counts on from it. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return Math.min(address.port, 65_000);
}

let directory: string;
let log: string[];

async function rounds(count: number): Promise<Rounds> {
  return new Rounds({
    rounds: count,
    sizes: QUICK,
    firstPort: await freePort(),
    temporaryDirectory: directory,
    keep: false,
    profileDirectory: join(directory, 'profiles'),
    log: (line) => log.push(line),
  });
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bench-test-'));
  log = [];
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('the rounds of a bench', () => {
  it('measure each contestant once a round, in turned order, and go on after a failure', async () => {
    const two = await rounds(2);
    await two.run([contestant('a'), contestant('b')], [failing, start, resources]);
    two.cleanUp();
    expect(log.filter((line) => line.startsWith('round')).map((line) => line.at(-1))).toEqual(['a', 'b', 'b', 'a']);
    expect(two.results.a['start.ms']).toEqual([expect.any(Number), expect.any(Number)]);
    expect(two.results.b.cpu).toEqual([expect.any(Number), expect.any(Number)]);
    expect(two.results.b.memory.every((mib) => mib !== null && mib > 10 && mib < 1000)).toBe(true);
    expect(two.results.a.failing).toEqual([null, null]);
    expect(two.failures).toHaveLength(4);
    expect(two.failures[0]).toBe('a, failing: on purpose');
    expect(readdirSync(directory)).toEqual([]);
  });

  it('start a broker again, in one round only, and leave out brokers without files', async () => {
    const two = await rounds(2);
    await two.run([contestant('a'), { ...contestant('b'), inMemory: true }], [again]);
    two.cleanUp();
    expect(two.failures).toEqual([]);
    expect(two.results).toEqual({ a: { 'again.peak': [expect.any(Number)], 'again.files': [expect.any(Number)] } });
    expect(two.results.a['again.files'][0]).toBeGreaterThan(3);
  });

  it('keep the profiles that a broker wrote', async () => {
    const profiled = await rounds(1);
    await profiled.run([contestant('a', ['--cpu-prof'])], [resources]);
    profiled.cleanUp();
    expect(readdirSync(join(directory, 'profiles'))).toEqual([expect.stringMatching(/\.cpuprofile$/)]);
  });

  it('report a broker that does not start, with the end of its output', async () => {
    const broken = await rounds(1);
    await broken.run([contestant('a', ['--no-such-flag'])], [resources]);
    broken.cleanUp();
    expect(broken.failures.join()).toMatch(/ended while starting.*no-such-flag/s);
    expect(broken.results.a.memory).toEqual([null]);
  });
});

describe('the command of odradek', () => {
  it('puts node flags before the script and settings after it', () => {
    const options = { nodeFlags: ['--cpu-prof'], settings: ['num.partitions=3'], fromSource: true };
    const { file, args } = odradek(options).command('/somewhere', 19_200);
    expect(file).toBe(process.execPath);
    expect(args[0]).toBe('--cpu-prof');
    expect(existsSync(join(args[1], '..'))).toBe(true);
    expect(args.slice(2)).toEqual([
      'start',
      '--port',
      '19200',
      '--data-dir',
      '/somewhere/data',
      '--set',
      'num.partitions=3',
    ]);
  });
});
