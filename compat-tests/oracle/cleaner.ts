import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerProcess } from '../server-process.ts';
import { startKafka } from './server.ts';
import { runTool } from './tool.ts';

export interface Cleaned {
  /** How long the cleaner was at it, by its own account. */
  seconds: number;
  /** Records that are left. */
  records: number;
}

export interface KafkaCleanerOptions {
  /** For all that the server writes. */
  directory: string;
  /** And the next one. */
  port: number;
  topic: string;
  /** Of the topic, beside cleanup.policy=compact. */
  configs: Record<string, string>;
}

/** Apache Kafka's own cleaner at work on a partition that somebody else has written. */
export class KafkaCleaner {
  /** The partition's folder; to be touched only while no `clean` is under way. */
  readonly folder: string;
  readonly #topic: string;
  readonly #server: ServerProcess;
  readonly #logFile: string;
  #readOfLog = 0;

  private constructor(server: ServerProcess, { directory, topic }: KafkaCleanerOptions) {
    this.folder = join(directory, 'data', `${topic}-0`);
    this.#server = server;
    this.#logFile = join(directory, 'server.log');
    this.#topic = topic;
  }

  /** Has a server make the topic, and ends it. */
  static async create(options: KafkaCleanerOptions): Promise<KafkaCleaner> {
    const { directory, port, topic } = options;
    mkdirSync(directory, { recursive: true });
    const properties = { 'log.cleaner.backoff.ms': '100', 'log.retention.ms': '-1' };
    const server = await startKafka({ directory, port, properties, heap: '1g' });
    try {
      const configs = Object.entries({ 'cleanup.policy': 'compact', ...options.configs });
      const args = ['--create', '--topic', topic, '--partitions', '1'];
      for (const [name, value] of configs) args.push('--config', `${name}=${value}`);
      const command = 'org.apache.kafka.tools.TopicCommand';
      const { code, stdout, stderr } = await runTool(command, ['--bootstrap-server', `127.0.0.1:${port}`, ...args]);
      if (code !== 0) throw new Error(`the topic could not be made:\n${stdout}${stderr}`);
    } finally {
      await server.stop();
    }
    return new KafkaCleaner(server, options);
  }

  /** Puts the files of another partition's folder into the topic's. */
  put(from: string): void {
    for (const name of readdirSync(this.folder)) if (isOfLog(name)) rmSync(join(this.folder, name));
    for (const name of readdirSync(from)) if (isOfLog(name)) cpSync(join(from, name), join(this.folder, name));
  }

  /** Runs a server until it has compacted the partition up to `endOffset`. */
  async clean(endOffset: number, timeoutMs = 60_000): Promise<Cleaned> {
    await this.#server.restart();
    try {
      for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await sleep(100)) {
        const found = this.#statistics(endOffset);
        if (found !== null) return found;
      }
      throw new Error(`Apache Kafka has not compacted up to ${endOffset}, see ${this.#logFile}`);
    } finally {
      await this.#server.stop();
    }
  }

  /** What the cleaner has written into the server's log since the last time. */
  #statistics(endOffset: number): Cleaned | null {
    const log = readFileSync(this.#logFile, 'utf8').slice(this.#readOfLog);
    const section = `cleaned log ${this.#topic}-0 \\(dirty section = \\[\\d+, ${endOffset}\\]\\)`;
    const pattern = new RegExp(
      `${section}[^]*?processed in ([\\d,.]+) seconds[^]*?End size: [^(]*\\(([\\d,]+) messages`,
    );
    const found = pattern.exec(log);
    if (found === null) return null;
    this.#readOfLog += found.index + found[0].length;
    return { seconds: numberOf(found[1]), records: numberOf(found[2]) };
  }
}

/** Segments, their indexes and snapshots, and the leader epochs; not the topic's id. */
const isOfLog = (name: string): boolean => /^\d{20}\./.test(name) || name === 'leader-epoch-checkpoint';

const numberOf = (text: string): number => Number(text.replaceAll(',', ''));
