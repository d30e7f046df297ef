import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';

export type ServerCommand = {
  /** For failures: what it was that did not start. */
  name: string;
  program: string;
  args: string[];
  /** Gets all that the server prints, run after run. */
  logFile: string;
  /** What the server prints, on either stream, once it serves. */
  ready: RegExp;
  readyTimeoutMs: number;
  /** How long an orderly end may take. */
  stopTimeoutMs: number;
};

/** How much of the output is kept to look for the ready line, and to tell why a start failed. */
const TAIL_CHARS = 4000;

/** A server in a process of its own that can be ended and started again. */
export class ServerProcess {
  readonly #command: ServerCommand;
  #process: ChildProcess | undefined;

  constructor(command: ServerCommand) {
    this.#command = command;
  }

  /** Starts the server and comes back when it is ready; throws with the end of its output when it does not get there. */
  start(): Promise<void> {
    const { name, program, args, logFile, ready, readyTimeoutMs } = this.#command;
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    const log = createWriteStream(logFile, { flags: 'a' });
    child.once('close', () => log.end());
    return new Promise((resolve, reject) => {
      let started = false;
      let tail = '';
      const watchdog = setTimeout(() => child.kill('SIGKILL'), readyTimeoutMs);
      const read = (chunk: Buffer): void => {
        log.write(chunk);
        if (started) return;
        // A chunk may be longer than what is kept.
        const text = tail + chunk.toString();
        tail = text.slice(-TAIL_CHARS);
        started = ready.test(text);
        if (!started) return;
        clearTimeout(watchdog);
        resolve();
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.once('error', reject);
      child.once('close', (code, signal) => {
        clearTimeout(watchdog);
        reject(new Error(`${name} ended (${code ?? signal}) before it was ready, see ${logFile}:\n${tail}`));
      });
    });
  }

  /** Ends the server in good order (SIGTERM), or at once when that takes too long. */
  async stop(): Promise<void> {
    const watchdog = setTimeout(() => this.kill(), this.#command.stopTimeoutMs);
    await this.#end('SIGTERM');
    clearTimeout(watchdog);
  }

  /** Ends the server without any good-bye (SIGKILL). */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** Starts again, after stop() or kill(); stops first when it still runs. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }
}
