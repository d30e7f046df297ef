/** odradek inside a Node process: `const broker = await Odradek.start({ inMemory: true, topics: ['orders'] })`. */

import { loadConfig } from './config/load.ts';
import { InvalidConfigError } from './config/value.ts';
import type { Logger } from './env.ts';
import type { RunningNode } from './node/running.ts';
import { startNode } from './node.ts';

/** A topic to be there from the start; a name alone has the broker's defaults. */
export type TopicSpec = string | { name: string; partitions?: number; configs?: Record<string, string> };

export interface OdradekOptions {
  /** Nothing is written to disk, and nothing is left when it stops. */
  inMemory?: boolean;
  /** Where data is kept; the default is ./data. */
  dataDir?: string;
  /** The address to listen on; the default is 127.0.0.1. */
  host?: string;
  /** The default is 0: a free one. */
  port?: number;
  topics?: readonly TopicSpec[];
  /** Broker configurations by Kafka's names. */
  config?: Readonly<Record<string, string>>;
  /** Where log lines go; the default is nowhere. */
  logger?: Logger;
}

const silent: Logger = { level: 'silent', debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

/** A running broker. `await using` stops it. */
export class Odradek implements AsyncDisposable {
  private readonly node: RunningNode;
  private stopping: Promise<void> | null = null;

  private constructor(node: RunningNode) {
    this.node = node;
  }

  /** Starts a broker and resolves when it serves and its topics are there. Throws what kept it from starting. */
  static async start(options: OdradekOptions = {}): Promise<Odradek> {
    const { config, clusterId } = loadConfig({
      set: Object.entries(options.config ?? {}).map(([name, value]) => `${name}=${value}`),
      host: options.host ?? null,
      port: options.port ?? 0,
      dataDir: options.dataDir ?? null,
    });
    const logger = options.logger ?? silent;
    const node = await startNode({ config, logger, inMemory: options.inMemory ?? false, clusterId });
    const broker = new Odradek(node);
    try {
      await broker.createTopics(options.topics ?? []);
    } catch (error) {
      await broker.stop();
      throw error;
    }
    return broker;
  }

  /** `host:port` as clients take it. */
  get bootstrapServers(): string {
    return this.node.listeners.map(({ host, port }) => `${host}:${port}`).join(',');
  }

  /** Creates topics that do not exist. Throws where one cannot be created. */
  async createTopics(topics: readonly TopicSpec[]): Promise<void> {
    if (topics.length === 0) return;
    const specs = topics.map((topic) => (typeof topic === 'string' ? { name: topic } : topic));
    const failures = await this.node.createTopics(specs);
    if (failures.length > 0) throw new InvalidConfigError(failures.join('; '));
  }

  /** Answers what is under way, ends long polls, flushes. Safe to call twice. */
  stop(): Promise<void> {
    this.stopping ??= this.node.stop();
    return this.stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
