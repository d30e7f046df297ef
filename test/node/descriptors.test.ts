/** A process that has few file descriptors, and more partitions and connections than that. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts';
import { CreateTopicsRequest, CreateTopicsResponse } from '../../protocol/messages/19-create-topics.ts';
import { encodeBatch } from '../../protocol/records/encode.ts';
import { WireClient } from '../support/wire-client.ts';

const Produce = { request: ProduceRequest, response: ProduceResponse };
const CreateTopics = { request: CreateTopicsRequest, response: CreateTopicsResponse };

const DESCRIPTORS = 256;
const PARTITIONS = 300;
const CONNECTIONS = 120;
const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');

/** Gives the address that the ready line names, and what has been logged so far. */
async function startWithFewDescriptors(): Promise<{ address: string; logged: () => string }> {
  const folder = mkdtempSync(join(tmpdir(), 'odradek-descriptors-'));
  const script = `ulimit -n ${DESCRIPTORS} && exec "$0" "$@"`;
  const command = ['-c', script, process.execPath, MAIN, '--port', '0', '--data-dir', join(folder, 'data')];
  const child = spawn('sh', command, { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  child.stderr.on('data', (chunk) => {
    log += chunk;
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true });
  });
  const ready = await new Promise<Buffer>((resolve) => child.stdout.once('data', resolve));
  return { address: ready.toString().trim().replace('odradek ready: PLAINTEXT://', ''), logged: () => log };
}

async function idleConnection(address: string): Promise<Socket> {
  const [host, port] = address.split(':');
  const socket = connect(Number(port), host);
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

/** The error codes of a record to each partition, a request for each. */
async function produceToAll(client: WireClient): Promise<Set<number>> {
  const codes = new Set<number>();
  for (let index = 0; index < PARTITIONS; index++) {
    const records = encodeBatch([{ value: Buffer.from('value'), timestamp: Date.now() }]);
    const topicData = [{ name: 'many', partitionData: [{ index, records }] }];
    const { responses } = await client.request(Produce, 9, { acks: -1, timeoutMs: 1000, topicData });
    codes.add(responses[0].partitionResponses[0].errorCode);
  }
  return codes;
}

it('goes on: files are closed where connections need the descriptors', { timeout: 30_000 }, async () => {
  const { address, logged } = await startWithFewDescriptors();
  const client = await WireClient.connect(address);
  const topics = [{ name: 'many', numPartitions: PARTITIONS, replicationFactor: 1 }];
  expect((await client.request(CreateTopics, 7, { topics })).topics[0].errorCode).toBe(0);
  const idle = await Promise.all(Array.from({ length: CONNECTIONS }, () => idleConnection(address)));
  expect(await produceToAll(client)).toEqual(new Set([0]));
  expect(await produceToAll(client)).toEqual(new Set([0]));
  expect(logged()).not.toContain('"level":50');
  for (const socket of idle) socket.destroy();
  await client.close();
});
