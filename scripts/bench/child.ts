import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const TIMEOUT_MS = 300_000;

/** A process to start, without a shell. */
export interface Command {
  file: string;
  args: string[];
}

const living = new Set<ChildProcess>();

/** Remembers a process until it ends, for killLeftovers. */
export function track(child: ChildProcess): void {
  living.add(child);
  child.once('exit', () => living.delete(child));
}

/** Kills every process of the bench that still runs: for the ways out that do not end them in good order. */
export function killLeftovers(): void {
  for (const child of living) child.kill('SIGKILL');
}

/** Runs a process to its end and gives its standard output. Fails with the tail of its output on a non-zero exit code. */
export function run(command: Command, timeoutMs = TIMEOUT_MS): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(command.file, command.args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  track(child);
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
