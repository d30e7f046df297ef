import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { eventually } from './helpers.ts';

/** Consumers of one group in a process of their own, which takes commands and tells what happens line by line. */
export class ConsumerProcess {
  /** What the members own now, by name: `topic-partition`, sorted. Gone with the member. */
  readonly assigned = new Map<string, string[]>();
  /** How many records each member has got, as far as it counts them. */
  readonly records = new Map<string, number>();
  /** Which records the members have got, `topic-partition@offset`, as far as they name them; what came again is there again. */
  readonly namedRecords: string[] = [];
  /** What went wrong, or was lost: nothing, if all is well. */
  readonly failures: string[] = [];
  private readonly process: ChildProcessWithoutNullStreams;
  private readonly ended: Promise<void>;

  constructor(program: string, args: string[]) {
    this.process = spawn(program, args);
    let rest = '';
    this.process.stdout.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.read(line);
    });
    this.process.stderr.on('data', (chunk: Buffer) => {
      const errors = chunk.toString().split('\n');
      this.failures.push(...errors.filter((line) => /ERROR|Exception|Error/.test(line)));
    });
    this.ended = new Promise((resolve) => this.process.once('close', () => resolve()));
  }

  /** `subscription`: what the program understands, and properties of the consumer. */
  start(name: string, ...subscription: string[]): void {
    this.process.stdin.write(`start ${name} ${subscription.join(' ')}\n`);
  }

  /** The consumer leaves the group. */
  stop(name: string): void {
    this.process.stdin.write(`stop ${name}\n`);
  }

  /** All consumers leave, and the process ends. */
  async quit(): Promise<void> {
    if (this.process.exitCode !== null) return;
    this.process.stdin.write('quit\n');
    await this.ended;
  }

  /** Waits until the members share these partitions: each has one owner, and no two differ by two. */
  async balanced(partitions: readonly string[], names: readonly string[], timeoutMs = 45_000): Promise<void> {
    await eventually(() => {
      const lists = names.map((name) => this.assigned.get(name) ?? []);
      const sizes = lists.map((list) => list.length);
      const all = lists.flat().sort();
      if (all.join(' ') !== [...partitions].sort().join(' ')) throw new Error(`they own ${JSON.stringify(lists)}`);
      return Math.max(...sizes) - Math.min(...sizes) <= 1;
    }, timeoutMs);
  }

  /** How many records all members have got together. */
  get recordCount(): number {
    return [...this.records.values()].reduce((sum, count) => sum + count, 0);
  }

  private read(line: string): void {
    const [what, name, ...words] = line.split(' ');
    if (what === 'assigned') this.assigned.set(name, words);
    else if (what === 'records') this.records.set(name, Number(words[0]));
    else if (what === 'record') this.namedRecords.push(words[0]);
    else if (what === 'stopped') this.assigned.delete(name);
    else this.failures.push(line);
  }
}
