import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, track } from './child.ts';
import { Caller } from './connection.ts';
import { metadataRequest, readMetadata } from './wire.ts';

const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 60_000;
const POLL_MS = 1;

/** A broker that takes part in the comparison. */
export interface Contestant {
  readonly name: string;
  /** What the table says below about it, e.g. its version and settings. */
  readonly description: string;
  /** Makes `directory` (which exists and is empty) ready for a first start, e.g. formats it. Not part of any measurement. */
  prepare(directory: string, port: number): Promise<void>;
  command(directory: string, port: number): Command;
  /** It has no data directory: scenarios about files and starting again leave it out. */
  readonly inMemory?: boolean;
}

interface Started {
  child: ChildProcess;
  spawnedMs: number;
  startMs: number;
}

/** A running broker process, the only one on its port and data directory. */
export class Broker {
  readonly contestant: Contestant;
  readonly port: number;
  readonly directory: string;
  readonly pid: number;
  /** When the process was spawned, by performance.now() of the bench. */
  readonly spawnedMs: number;
  /** From the spawn of the process to the first answer to a Metadata request that names a broker. */
  readonly startMs: number;
  private readonly child: ChildProcess;

  constructor(contestant: Contestant, port: number, directory: string, started: Started) {
    this.contestant = contestant;
    this.port = port;
    this.directory = directory;
    this.child = started.child;
    this.pid = started.child.pid ?? -1;
    this.spawnedMs = started.spawnedMs;
    this.startMs = started.startMs;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** SIGTERM and wait; a broker that does not end in time (a minute) is killed and that is an error. */
  async stop(timeoutMs = STOP_TIMEOUT_MS): Promise<void> {
    await stopChild(this.child, timeoutMs);
  }

  /** SIGKILL and wait: what a crash of the process leaves behind. */
  async kill(): Promise<void> {
    if (!this.running) return;
    const exited = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGKILL');
    await exited;
  }
}

async function stopChild(child: ChildProcess, timeoutMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<'exited'>((resolve) => child.once('exit', () => resolve('exited')));
  child.kill('SIGTERM');
  const timer = new AbortController();
  const late = sleep(timeoutMs, 'late' as const, { signal: timer.signal }).catch(() => 'late' as const);
  const outcome = await Promise.race([exited, late]);
  timer.abort();
  if (outcome === 'late') {
    child.kill('SIGKILL');
    throw new Error(`the broker did not end within ${timeoutMs} ms of SIGTERM`);
  }
}

async function refuseUsedPort(port: number): Promise<void> {
  const caller = new Caller(port);
  const answered = await caller.call(metadataRequest(0, [])).then(
    () => true,
    () => false,
  );
  caller.close();
  if (answered) throw new Error(`something already serves Kafka on port ${port}; choose another --port`);
}

/** Asks for Metadata again and again until an answer names a broker. */
async function firstMetadata(port: number, child: ChildProcess, spawnedMs: number): Promise<number> {
  while (performance.now() - spawnedMs < START_TIMEOUT_MS) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('the broker ended while starting');
    const caller = new Caller(port);
    try {
      const metadata = readMetadata(await caller.call(metadataRequest(0, [])));
      if (metadata.brokers > 0) return performance.now() - spawnedMs;
    } catch {
      // Refused or reset: it does not listen yet.
    } finally {
      caller.close();
    }
    await sleep(POLL_MS);
  }
  throw new Error(`no Metadata answer within ${START_TIMEOUT_MS} ms`);
}

/** Starts a contestant in `directory`, which `prepare` or an earlier run made ready; its output goes to broker.log there. */
export async function launch(contestant: Contestant, directory: string, port: number): Promise<Broker> {
  await refuseUsedPort(port);
  mkdirSync(directory, { recursive: true });
  const logFile = join(directory, 'broker.log');
  const log = openSync(logFile, 'a');
  const { file, args } = contestant.command(directory, port);
  const spawnedMs = performance.now();
  const child = spawn(file, args, { cwd: directory, stdio: ['ignore', log, log] });
  closeSync(log);
  track(child);
  const failedToSpawn = new Promise<never>((_, reject) => child.once('error', reject));
  try {
    const startMs = await Promise.race([firstMetadata(port, child, spawnedMs), failedToSpawn]);
    return new Broker(contestant, port, directory, { child, spawnedMs, startMs });
  } catch (error) {
    child.kill('SIGKILL');
    const tail = readFileSync(logFile, 'utf8').split('\n').slice(-15).join('\n');
    throw new Error(`${contestant.name} did not start: ${(error as Error).message}\n${tail}`);
  }
}
