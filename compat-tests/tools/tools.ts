import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, onTestFinished } from 'vitest';
import type { Broker } from '../brokers.ts';
import { describeBrokers } from '../describe-brokers.ts';
import { eventually } from '../helpers.ts';
import { oracleAvailable } from '../oracle/jars.ts';
import { type RunOptions, type RunResult, runTool, toolCommand } from '../oracle/tool.ts';

/** Kafka's tools, bound to one broker. `name` is the class behind org.apache.kafka.tools, or a full class name. */
export type Tools = {
  /** Runs a tool with `--bootstrap-server`; gives its standard output; throws unless it ends with 0. */
  tool(name: string, args: string[], options?: RunOptions): Promise<string>;
  /** The same for a tool that may refuse: gives all that it said, and its exit code. */
  attempt(name: string, args: string[], options?: RunOptions): Promise<RunResult>;
  /** A tool that runs until it is stopped. */
  background(name: string, args: string[]): Background;
};

export type Background = { output(): string; stop(): Promise<void> };

const className = (name: string): string => (name.startsWith('kafka.') ? name : `org.apache.kafka.tools.${name}`);

/** Like describeBrokers, with Kafka's command-line tools; left out, and says so, on a machine that cannot run them. */
export function describeTools(title: string, suite: (tools: Tools, broker: Broker) => void): void {
  const oracle = oracleAvailable();
  describeBrokers(title, (broker) => {
    if (oracle.available) suite(toolsFor(broker), broker);
    else it.skip(`SKIPPED, Kafka's tools cannot be run: ${oracle.reason}`, () => {});
  });
}

/** The tools for a broker that the test has started itself. */
export function toolsFor(broker: Broker): Tools {
  const attempt: Tools['attempt'] = (name, args, options) =>
    runTool(className(name), withBroker(name, args, broker), options);
  return {
    attempt,
    tool: async (name, args, options) => {
      const { stdout, stderr, code } = await attempt(name, args, options);
      if (code !== 0) throw new Error(`${name} ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`);
      return stdout;
    },
    background: (name, args) => background(toolCommand(className(name), withBroker(name, args, broker))),
  };
}

/** Where the tool wants to be told of the broker: ClusterTool behind its verb, ReplicaVerificationTool by another name. */
function withBroker(name: string, args: string[], broker: Broker): string[] {
  const bootstrap = ['--bootstrap-server', broker.bootstrapServers];
  if (name === 'ClusterTool') return [args[0], ...bootstrap, ...args.slice(1)];
  if (name === 'ReplicaVerificationTool') return ['--broker-list', broker.bootstrapServers, ...args];
  return [...bootstrap, ...args];
}

function background(command: string[]): Background {
  const child = spawn('java', command, { stdio: ['ignore', 'pipe', 'ignore'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    output: () => output,
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

/** Lines that hold more than white space, without the white space around them. */
export const lines = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

/** The rows of a printed table as objects; the first line that begins with firstColumn names the columns. */
export function table(text: string, firstColumn: string): Record<string, string>[] {
  const all = lines(text);
  const head = all.findIndex((line) => line.startsWith(firstColumn));
  if (head < 0) throw new Error(`no table of ${firstColumn} in:\n${text}`);
  const cells = (line: string): string[] => line.split(/\t+|\s{2,}|(?<=\S) (?=\S)/).map((cell) => cell.trim());
  const names = all[head].split(/\t+|\s{2,}/).map((name) => name.trim());
  return all.slice(head + 1).map((line) => Object.fromEntries(cells(line).map((cell, i) => [names[i], cell])));
}

/** Writes a file for a tool to read; gives its path. It goes with the test. */
export function inputFile(content: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'odradek-compat-input-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'input');
  writeFileSync(path, content);
  return path;
}

/** Waits until a background tool has printed something that matches. */
export const printed = (tool: Background, pattern: RegExp): Promise<string> =>
  eventually(() => pattern.exec(tool.output())?.[0]);
