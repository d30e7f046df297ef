import { type ChildProcess, spawn } from 'node:child_process';
import { basename, join } from 'node:path';
import { eventually } from '../helpers.ts';
import { archiveFlags, quickStart } from '../oracle/class-archive.ts';
import { ensureJars, javaArgs } from '../oracle/jars.ts';
import { compiledClasses, libraryJars } from '../oracle/library.ts';

const source = join(import.meta.dirname, '..', 'java', 'StreamsApp.java');

/** What the JVM needs before the name of the program's class. */
function jvmArgs(): string[] {
  ensureJars();
  const jars = libraryJars('streams', join(import.meta.dirname, 'pom.xml')).filter((jar) =>
    /^(kafka-streams|rocksdbjni)/.test(basename(jar)),
  );
  const args = javaArgs({ flags: [...quickStart, ...archiveFlags('tools')] });
  const classPath = [args[args.length - 1], ...jars].join(':');
  args[args.length - 1] = `${classPath}:${compiledClasses(source, classPath)}`;
  return args;
}

/** A running StreamsApp.java: an application of Kafka Streams in a process of its own. */
export class StreamsApp {
  private readonly child: ChildProcess;
  private printed = '';
  private errors = '';

  /** `config`: its arguments, see StreamsApp.java. */
  constructor(config: Record<string, string>) {
    const args = Object.entries(config).map(([name, value]) => `${name}=${value}`);
    this.child = spawn('java', [...jvmArgs(), 'StreamsApp', ...args], { stdio: 'pipe' });
    this.child.stdout?.on('data', (chunk) => {
      this.printed += chunk;
    });
    this.child.stderr?.on('data', (chunk) => {
      this.errors += chunk;
    });
  }

  output(): string {
    return this.printed;
  }

  /** Comes back when it has printed a line like this since `from`. Throws with what it printed, should it not. */
  async printsLine(line: RegExp, from = 0): Promise<string> {
    try {
      return await eventually(() => {
        const lines = this.printed.slice(from).split('\n').slice(0, -1);
        return lines.find((printed) => line.test(printed));
      }, 60_000);
    } catch (error) {
      throw new Error(`${line} was not printed:\n${this.printed}\n${this.errors}`, { cause: error });
    }
  }

  running(): Promise<string> {
    return this.printsLine(/^state RUNNING$/);
  }

  /** Asks until the local store answers with the value. */
  async has(key: string, value: string): Promise<void> {
    await eventually(async () => (await this.ask(`get ${key}`, /^value /)) === `value ${value}`);
  }

  /** The line that answers. */
  async ask(line: string, answer: RegExp): Promise<string> {
    const from = this.printed.length;
    this.child.stdin?.write(`${line}\n`);
    return this.printsLine(answer, from);
  }

  /** Partitions of the tasks that it processes, as `topic-partition`. */
  async activePartitions(): Promise<string[]> {
    const tasks = await this.ask('tasks', /^tasks /);
    const active = /activeTasks=\[(.*?)\], standbyTasks=/.exec(tasks)?.[1] ?? '';
    return [...active.matchAll(/topicPartitions=\[(.*?)\]/g)].flatMap((match) => match[1].split(', ')).sort();
  }

  async close(): Promise<void> {
    this.child.stdin?.end('close\n');
    if (this.child.exitCode === null) await this.printsLine(/^closed$/);
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }
}
