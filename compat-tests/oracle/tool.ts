import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { archiveFlags, ensureArchive, quickStart } from './class-archive.ts';
import { ensureJars, javaArgs } from './jars.ts';

export type RunResult = { stdout: string; stderr: string; code: number | null };
export type RunOptions = { stdin?: string; timeoutMs?: number; env?: Record<string, string> };

/** Runs a program to its end; code is null when it was killed after timeoutMs (60 s unless told otherwise). */
export function run(program: string, args: string[], options: RunOptions = {}): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'pipe', env: { ...process.env, ...options.env } });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 60_000);
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString(), code });
    });
    // A program may end without reading its input.
    child.stdin.on('error', () => {});
    child.stdin.end(options.stdin ?? '');
  });
}

/** Nothing of the JVM's own is printed: what a tool prints is compared. */
const toolFlags = [...quickStart, '-Xlog:disable'];

/** Makes the archive of the tools' classes from the run of a tool against a broker that serves. */
export async function archiveToolClasses(bootstrapServers: string): Promise<void> {
  ensureJars();
  const list = ['org.apache.kafka.tools.TopicCommand', '--bootstrap-server', bootstrapServers, '--list'];
  await ensureArchive('tools', async (flags) => {
    const { code, stderr } = await run('java', [...javaArgs({ flags: [...toolFlags, ...flags] }), ...list]);
    if (code !== 0) throw new Error(`kafka-topics --list failed:\n${stderr}`);
  });
}

/** The `java` command line of one of Kafka's tools, by class name. */
export function toolCommand(mainClass: string, args: string[]): string[] {
  ensureJars();
  return [...javaArgs({ flags: [...toolFlags, ...archiveFlags('tools')] }), mainClass, ...args];
}

/** Runs one of Kafka's command-line tools by class name, e.g. `org.apache.kafka.tools.TopicCommand`. */
export function runTool(mainClass: string, args: string[], options: RunOptions = {}): Promise<RunResult> {
  return run('java', toolCommand(mainClass, args), options);
}

/** The `java` command line of CodecOracle.java. */
export function codecCommand(args: string[]): string[] {
  ensureJars();
  return [...javaArgs({ heap: '1g' }), join(import.meta.dirname, 'CodecOracle.java'), ...args];
}

/** The `java` command line of a program of one source file. */
export function programCommand(source: string, args: string[]): string[] {
  ensureJars();
  return [...javaArgs({ flags: [...toolFlags, ...archiveFlags('tools')] }), source, ...args];
}
