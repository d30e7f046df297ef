import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OwnBroker, startBroker } from '../brokers.ts';
import { describeBrokerKinds } from '../describe-brokers.ts';
import { eventually, times } from '../helpers.ts';
import { kafkajs } from '../kafkajs/client.ts';
import { oracleAvailable } from '../oracle/jars.ts';
import { compiledClasses, libraryJars } from '../oracle/library.ts';

const RECORDS = 6000;
const SOURCE = join(import.meta.dirname, '..', 'java', 'FlinkCopy.java');
const FLAGS = [
  '-XX:TieredStopAtLevel=1',
  '--add-opens=java.base/java.util=ALL-UNNAMED',
  '--add-opens=java.base/java.lang=ALL-UNNAMED',
];

describeBrokerKinds('Flink', (name) => {
  const oracle = oracleAvailable();
  if (!oracle.available) return it.skip(`SKIPPED, it cannot be run: ${oracle.reason}`, () => {});
  let broker: OwnBroker;
  beforeAll(async () => {
    broker = await startBroker(name);
  });
  afterAll(() => broker?.remove());

  it('copies a topic exactly once, over a failure of its own and a kill of the broker', async () => {
    const { bootstrapServers } = broker;
    await fill(bootstrapServers);
    const job = startJob([bootstrapServers, 'in', 'out', 'copier', '1500']);
    await eventually(() => job.lines.includes('copied 1000'), 60_000);
    await broker.kill();
    await broker.restart();
    expect(await job.ended, job.errors()).toBe(0);
    expect(job.lines).toContain('fails');
    expect(job.lines.at(-1)).toBe('done');
    expect(await valuesOf(bootstrapServers, 'out')).toEqual(times(RECORDS, String).sort());
  }, 180_000);
});

function startJob(args: string[]) {
  const jars = libraryJars('flink', join(import.meta.dirname, 'pom.xml')).join(':');
  const classPath = `${jars}:${compiledClasses(SOURCE, jars)}`;
  const child = spawn('java', [...FLAGS, '-cp', classPath, 'FlinkCopy', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  let errors = '';
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { lines, ended, errors: () => errors.slice(-3000) };
}

async function fill(bootstrapServers: string): Promise<void> {
  const kafka = kafkajs(bootstrapServers);
  const admin = kafka.admin();
  await admin.connect();
  const topics = [
    { topic: 'in', numPartitions: 4 },
    { topic: 'out', numPartitions: 3 },
  ];
  await admin.createTopics({ topics });
  await admin.disconnect();
  const producer = kafka.producer();
  await producer.connect();
  const messages = times(RECORDS, (i) => ({ partition: i % 4, value: String(i) }));
  await producer.send({ topic: 'in', messages });
  await producer.disconnect();
}

/** Committed values, in order. */
async function valuesOf(bootstrapServers: string, topic: string): Promise<string[]> {
  const values: string[] = [];
  const consumer = kafkajs(bootstrapServers).consumer({ groupId: 'reader', maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ message }) => {
      values.push(String(message.value));
    },
  });
  await eventually(() => values.length >= RECORDS);
  // A second copy would come right behind.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await consumer.disconnect();
  return values.sort();
}
