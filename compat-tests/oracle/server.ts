import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureJars, javaArgs } from './jars.ts';
import { run } from './tool.ts';

export type KafkaServerOptions = {
  /** Everything the server writes: server.properties, data/, server.log. */
  directory: string;
  /** The port of the clients; port + 1 is the controller's. */
  port: number;
  properties?: Record<string, string>;
  clusterId?: string;
  heap?: string;
};

/** One combined broker and controller of Apache Kafka on 127.0.0.1, in a JVM of its own. */
export class KafkaServer {
  readonly bootstrapServers: string;
  readonly logFile: string;
  readonly #options: KafkaServerOptions;
  #process: ChildProcess | undefined;

  private constructor(options: KafkaServerOptions) {
    this.#options = options;
    this.bootstrapServers = `127.0.0.1:${options.port}`;
    this.logFile = join(options.directory, 'server.log');
  }

  /** Formats the directory on first use, starts the server, and comes back when clients are served. */
  static async start(options: KafkaServerOptions): Promise<KafkaServer> {
    ensureJars();
    const server = new KafkaServer(options);
    mkdirSync(options.directory, { recursive: true });
    writeFileSync(server.#propertiesFile, toProperties(serverProperties(options)));
    if (!existsSync(join(options.directory, 'data', 'meta.properties'))) await server.#format();
    await server.#launch();
    return server;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get #propertiesFile(): string {
    return join(this.#options.directory, 'server.properties');
  }

  async #format(): Promise<void> {
    const clusterId = this.#options.clusterId ?? 'b2RyYWRlay1jb21wYXQtMQ';
    const args = [...javaArgs(), 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', this.#propertiesFile];
    const result = await run('java', args);
    if (result.code !== 0) throw new Error(`kafka-storage format failed:\n${result.stdout}${result.stderr}`);
  }

  async #launch(): Promise<void> {
    const heap = this.#options.heap ?? '512m';
    const args = [...javaArgs({ logLevel: 'info', heap }), 'kafka.Kafka', this.#propertiesFile];
    const child = spawn('java', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    const log = createWriteStream(this.logFile, { flags: 'a' });
    child.stdout.pipe(log, { end: false });
    let started = false;
    let tail = '';
    child.stderr.on('data', (chunk: Buffer) => {
      log.write(chunk);
      if (started) return;
      tail = (tail + chunk.toString()).slice(-4000);
      started = tail.includes('Kafka Server started');
    });
    child.on('close', () => log.end());
    const deadline = Date.now() + 60_000;
    while (!started || !(await accepts(this.#options.port))) {
      if (child.exitCode !== null) throw new Error(`Apache Kafka ended at once, see ${this.logFile}:\n${tail}`);
      if (Date.now() > deadline) {
        await this.kill();
        throw new Error(`Apache Kafka was not ready after 60 s, see ${this.logFile}`);
      }
      await sleep(50);
    }
  }

  /** Ends the server in good order (SIGTERM). */
  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  /** Ends the server without any good-bye (SIGKILL). */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** Starts again on the same directory and port, after stop() or kill(); stops first when it still runs. */
  async restart(): Promise<void> {
    await this.stop();
    await this.#launch();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
    await ended;
    clearTimeout(timer);
    this.#process = undefined;
  }
}

/** One node; internal topics with one replica; no delay before the first rebalance of a group. */
function serverProperties({ directory, port, properties }: KafkaServerOptions): Record<string, string> {
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${port + 1}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${port + 1}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'log.dirs': join(directory, 'data'),
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    ...properties,
  };
}

const toProperties = (properties: Record<string, string>): string =>
  Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
