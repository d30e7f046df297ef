/** A broker in a process of its own, for tests that kill it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');

export class BrokerProcess {
  readonly bootstrapServers: string;
  /** From the start of the process to its ready line. */
  readonly startMs: number;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;

  private constructor(bootstrapServers: string, startMs: number, child: ChildProcess, ended: Promise<void>) {
    this.bootstrapServers = bootstrapServers;
    this.startMs = startMs;
    this.#child = child;
    this.#ended = ended;
  }

  /** Runs `odradek start` with these arguments; resolves when it is ready, fails with its errors when it ends before. */
  static start(args: readonly string[]): Promise<BrokerProcess> {
    const begunMs = performance.now();
    const child = spawn(process.execPath, [MAIN, 'start', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    return new Promise((resolve, reject) => {
      child.stdout.on('data', (chunk) => {
        stdout += chunk;
        const ready = /odradek ready: PLAINTEXT:\/\/(\S+)\n/.exec(stdout);
        if (ready !== null) resolve(new BrokerProcess(ready[1], performance.now() - begunMs, child, ended));
      });
      void ended.then(() => reject(new Error(`the broker ended: ${stderr.slice(-2000)}`)));
    });
  }

  /** Returns when the process is gone. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.#child.kill(signal);
    return this.#ended;
  }
}
