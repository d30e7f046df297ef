import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../helpers.ts';
import { ensureJars, javaArgs, kafkaHome } from '../oracle/jars.ts';

const libs = join(kafkaHome, 'streams-libs');
const doneMarker = join(libs, '.done');

/** Fetches Kafka Streams unless it is there (75 MB, most of it RocksDB; once a machine). Throws when Maven fails. */
function ensureStreamsJars(): void {
  ensureJars();
  if (existsSync(doneMarker)) return;
  mkdirSync(libs, { recursive: true });
  const pom = join(import.meta.dirname, 'pom.xml');
  const args = ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${libs}`];
  const maven = spawnSync('mvn', args, { encoding: 'utf8' });
  if (maven.status !== 0) throw new Error(`Maven could not fetch Kafka Streams:\n${maven.stdout}${maven.stderr}`);
  writeFileSync(doneMarker, '');
}

const quickStart = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];

/** What the JVM needs before the name of the program's class. */
function jvmArgs(classes: string): string[] {
  const args = javaArgs({ flags: quickStart });
  const jars = readdirSync(libs).filter((name) => /^(kafka-streams|rocksdbjni)/.test(name));
  args[args.length - 1] += [...jars.map((name) => `:${join(libs, name)}`), `:${classes}`].join('');
  return args;
}

let compiled: string | undefined;

/** Compiles StreamsApp.java, once a run. */
function classes(): string {
  if (compiled !== undefined) return compiled;
  ensureStreamsJars();
  const directory = mkdtempSync(join(tmpdir(), 'odradek-streams-app-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const classPath = jvmArgs(directory).at(-1) as string;
  const source = join(import.meta.dirname, '..', 'java', 'StreamsApp.java');
  const javac = spawnSync('javac', ['-cp', classPath, '-d', directory, source], { encoding: 'utf8' });
  if (javac.status !== 0) throw new Error(`StreamsApp.java could not be compiled:\n${javac.stderr}`);
  compiled = directory;
  return directory;
}

/** A running StreamsApp.java: an application of Kafka Streams in a process of its own. */
export class StreamsApp {
  private readonly child: ChildProcess;
  private printed = '';
  private errors = '';

  /** `config`: its arguments, see StreamsApp.java. */
  constructor(config: Record<string, string>) {
    const args = Object.entries(config).map(([name, value]) => `${name}=${value}`);
    this.child = spawn('java', [...jvmArgs(classes()), 'StreamsApp', ...args], { stdio: 'pipe' });
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
