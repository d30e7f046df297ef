import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Odradek } from '../../src/index.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'odradek-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts');

interface Process {
  readonly bootstrapServers: string;
  readonly stdout: () => string;
  kill(signal: NodeJS.Signals): Promise<{ code: number | null; stderr: string }>;
}

function run(...args: string[]): Promise<Process> {
  const child = spawn(process.execPath, [main, 'start', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve) =>
    child.on('exit', (code) => resolve({ code, stderr })),
  );
  return new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
      const ready = /odradek ready: PLAINTEXT:\/\/(\S+)\n/.exec(stdout);
      if (ready === null) return;
      const kill = (signal: NodeJS.Signals) => {
        child.kill(signal);
        return ended;
      };
      resolve({ bootstrapServers: ready[1], stdout: () => stdout, kill });
    });
    void ended.then(({ code }) => reject(new Error(`exit ${code}: ${stderr}`)));
  });
}

async function send(bootstrapServers: string, value: string): Promise<void> {
  const kafka = new Kafka({ brokers: [bootstrapServers], logLevel: logLevel.NOTHING });
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic: 'kept', messages: [{ value }] });
  await producer.disconnect();
}

async function offsets(bootstrapServers: string): Promise<{ low: string; high: string }[]> {
  const admin = new Kafka({ brokers: [bootstrapServers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const found = await admin.fetchTopicOffsets('kept');
  await admin.disconnect();
  return found;
}

describe('a broker process', () => {
  it('prints one ready line, keeps its data over SIGTERM and over kill -9', async () => {
    const first = await run('--port', '0', '--data-dir', dir);
    await send(first.bootstrapServers, 'one');
    expect(await first.kill('SIGTERM')).toMatchObject({ code: 0 });
    expect(first.stdout().split('\n')).toHaveLength(2);
    const second = await run('--port', '0', '--data-dir', dir);
    expect(await offsets(second.bootstrapServers)).toMatchObject([{ low: '0', high: '1' }]);
    await send(second.bootstrapServers, 'two');
    await second.kill('SIGKILL');
    const third = await run('--port', '0', '--data-dir', dir);
    expect(await offsets(third.bootstrapServers)).toMatchObject([{ low: '0', high: '2' }]);
    await third.kill('SIGTERM');
  });

  it.each([
    [
      'another broker on the same directory',
      (port: string) => ['--port', '0', '--data-dir', dir, port].slice(0, 4),
      /Another broker holds/,
    ],
    ['a port that is taken', (port: string) => ['--port', port, '--data-dir', `${dir}/other`], /Port \d+ is taken/],
  ])('refuses %s with one line and exit code 1', async (_what, args, message) => {
    const first = await run('--port', '0', '--data-dir', dir);
    const port = first.bootstrapServers.split(':')[1];
    await expect(run(...args(port))).rejects.toThrow(message);
    await first.kill('SIGTERM');
  });

  it('refuses a directory that is a file, and one of another cluster', async () => {
    writeFileSync(join(dir, 'file'), '');
    await expect(run('--port', '0', '--data-dir', join(dir, 'file'))).rejects.toThrow(/exit 1: odradek: /);
    writeFileSync(join(dir, 'meta.properties'), 'version=1\ncluster.id=AAAAAAAAAAAAAAAAAAAABB\nnode.id=7\n');
    await expect(run('--port', '0', '--data-dir', dir)).rejects.toThrow(/exit 1: odradek: .*node 7/);
  });
});

describe('the embedded broker', () => {
  it('starts in memory with topics, leaves nothing behind and stops at once under a long poll', async () => {
    const broker = await Odradek.start({ inMemory: true, topics: ['a', { name: 'b', partitions: 3 }] });
    const kafka = new Kafka({ brokers: [broker.bootstrapServers], logLevel: logLevel.NOTHING, retry: { retries: 0 } });
    const admin = kafka.admin();
    await admin.connect();
    const { topics } = await admin.fetchTopicMetadata({ topics: ['a', 'b'] });
    expect(new Map(topics.map((t) => [t.name, t.partitions.length]))).toEqual(
      new Map([
        ['a', 1],
        ['b', 3],
      ]),
    );
    await admin.disconnect();
    const consumer = kafka.consumer({ groupId: 'g', maxWaitTimeInMs: 30_000 });
    await consumer.connect();
    await consumer.subscribe({ topics: ['a'] });
    await consumer.run({ eachMessage: async () => {} });
    await new Promise((r) => setTimeout(r, 300));
    const begun = performance.now();
    await broker.stop();
    expect(performance.now() - begun).toBeLessThan(2000);
    await consumer.disconnect().catch(() => {});
  });

  it('tells what it cannot create', async () => {
    await expect(Odradek.start({ inMemory: true, topics: ['no good'] })).rejects.toThrow(/Topic name is invalid/);
  });
});
