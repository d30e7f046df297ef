import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Command } from './broker.ts';

const TIMEOUT_MS = 300_000;

/** Runs a process to its end and gives its standard output. Fails with the tail of its output on a non-zero exit code. */
export function run(command: Command, timeoutMs = TIMEOUT_MS): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(command.file, command.args, {
    env: { ...process.env, ...command.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    err += chunk;
  });
  child.once('error', reject);
  child.once('close', (code, signal) => {
    if (code === 0) resolve(out);
    else reject(new Error(`${command.file} ended with ${signal ?? code}: ${(err || out).trim().slice(-1500)}`));
  });
  return promise;
}

export type WorkerOptions = Record<string, string | number>;

/** Runs a script of this folder with `--name value` for each option and gives the JSON that its last line holds. */
export async function runWorker<T>(script: URL, options: WorkerOptions): Promise<T> {
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const out = await run({ file: process.execPath, args: [fileURLToPath(script), ...args] });
  return JSON.parse(out.trim().split('\n').at(-1) ?? '') as T;
}
