/** `odradek start`: from options to a running broker, and from a signal to a clean end. */

import { readFileSync } from 'node:fs';
import { formatListener } from '../config/listeners.ts';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import type { Logger } from '../env.ts';
import type { NodeOptions, RunningNode } from '../node/running.ts';
import { explainFailure } from './failure.ts';
import { createLogger, levelFromEnvironment } from './logger.ts';
import { type StartOptions, UsageError } from './options.ts';

/** What start needs of a broker. */
export type StartedNode = Pick<RunningNode, 'listeners' | 'stop' | 'failed'>;

/** The parts of a process that start needs; a test hands in others. */
export interface Host {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly startNode: (options: NodeOptions) => Promise<StartedNode>;
  readonly createLogger: (options: StartOptions) => Promise<Logger>;
  readonly readFile: (path: string) => string;
  print(line: string): void;
  printError(line: string): void;
  onSignal(signal: 'SIGTERM' | 'SIGINT', handler: () => void): void;
  exit(code: number): void;
}

export const processHost: Host = {
  environment: process.env,
  startNode: async (options) => (await import('../node.ts')).startNode(options),
  createLogger: ({ logLevel }) =>
    createLogger(logLevel ?? levelFromEnvironment(process.env), process.stderr.isTTY === true),
  readFile: (path) => readFileSync(path, 'utf8'),
  print: (line) => process.stdout.write(`${line}\n`),
  printError: (line) => process.stderr.write(`${line}\n`),
  onSignal: (signal, handler) => process.on(signal, handler),
  exit: (code) => process.exit(code),
};

function readConfigFile(path: string, host: Host): { name: string; text: string } {
  try {
    return { name: path, text: host.readFile(path) };
  } catch (error) {
    throw new UsageError(`Cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function configuration(options: StartOptions, host: Host): LoadedConfig {
  return loadConfig({
    file: options.config === null ? null : readConfigFile(options.config, host),
    environment: host.environment,
    set: options.set,
    host: options.host,
    port: options.port,
    dataDir: options.dataDir,
  });
}

/** Resolves at the first SIGTERM or SIGINT; the second one ends the process at once. */
function firstSignal(host: Host, logger: Logger): Promise<void> {
  return new Promise((resolve) => {
    let signals = 0;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      host.onSignal(signal, () => {
        signals++;
        if (signals > 1) host.exit(1);
        logger.info({ signal }, 'Stopping');
        resolve();
      });
    }
  });
}

async function run(options: StartOptions, host: Host): Promise<void> {
  const { config, clusterId, notices } = configuration(options, host);
  const logger = await host.createLogger(options);
  for (const notice of notices) logger.warn({}, notice);
  const signalled = firstSignal(host, logger);
  const node = await host.startNode({ config, logger, inMemory: options.inMemory, clusterId });
  host.print(`odradek ready: ${node.listeners.map(formatListener).join(',')}`);
  const failure = await Promise.race([signalled, node.failed]);
  // nothing can be flushed where nothing can be written: the next start recovers
  if (failure instanceof Error) throw failure;
  await node.stop();
}

function report(error: unknown, host: Host): void {
  const known = explainFailure(error);
  if (known !== null) host.printError(`odradek: ${known}`);
  else host.printError(`odradek: unexpected failure: ${error instanceof Error ? error.stack : String(error)}`);
}

/** Runs a broker until a signal ends it; returns the exit code. */
export async function start(options: StartOptions, host: Host): Promise<number> {
  try {
    await run(options, host);
    return 0;
  } catch (error) {
    report(error, host);
    return 1;
  }
}
