import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KafkaServer } from './oracle/server.ts';

export const brokerNames = ['odradek', 'kafka'] as const;
export type BrokerName = (typeof brokerNames)[number];

/** What a check knows of the broker it runs against. */
export interface Broker {
  readonly name: BrokerName;
  /** `127.0.0.1:PORT` */
  readonly bootstrapServers: string;
}

/** A broker that belongs to one test file, which may stop it as it likes. */
export interface OwnBroker extends Broker {
  /** Everything it writes; its log.dirs is `data` in there. */
  readonly directory: string;
  /** Ends it in good order (SIGTERM). */
  stop(): Promise<void>;
  /** Ends it at once (SIGKILL). */
  kill(): Promise<void>;
  /** Starts it again on the same directory and port; stops it first when it still runs. */
  restart(): Promise<void>;
  /** Ends it for good and removes its directory. */
  remove(): Promise<void>;
}

export type StartOptions = {
  properties?: Record<string, string>;
  /** One that a broker of either kind has left; without it, an empty one. */
  directory?: string;
};

/** Starts a broker of the given kind as a process of its own. */
export async function startBroker(name: BrokerName, options: StartOptions = {}): Promise<OwnBroker> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), `odradek-compat-${name}-`));
  const port = await freePortPair();
  const { properties = {} } = options;
  const server =
    name === 'kafka'
      ? await KafkaServer.start({ directory, port, properties })
      : await OdradekServer.start(directory, port, properties);
  return {
    name,
    directory,
    bootstrapServers: server.bootstrapServers,
    stop: () => server.stop(),
    kill: () => server.kill(),
    restart: () => server.restart(),
    remove: async () => {
      await server.stop();
      if (process.env.COMPAT_KEEP === undefined) rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** odradek as its users start it: a process that prints one ready line. */
class OdradekServer {
  readonly bootstrapServers: string;
  readonly #directory: string;
  readonly #port: number;
  readonly #properties: Record<string, string>;
  #process: ChildProcess | undefined;

  private constructor(directory: string, port: number, properties: Record<string, string>) {
    this.bootstrapServers = `127.0.0.1:${port}`;
    this.#directory = directory;
    this.#port = port;
    this.#properties = properties;
  }

  static async start(directory: string, port: number, properties: Record<string, string>): Promise<OdradekServer> {
    mkdirSync(directory, { recursive: true });
    const server = new OdradekServer(directory, port, properties);
    await server.#launch();
    return server;
  }

  #launch(): Promise<void> {
    const main = join(import.meta.dirname, '..', 'src', 'main.ts');
    const settings = Object.entries(this.#properties).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
    const data = join(this.#directory, 'data');
    const args = [main, 'start', '--port', String(this.#port), '--data-dir', data, ...settings];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    const log = createWriteStream(join(this.#directory, 'server.log'), { flags: 'a' });
    child.on('close', () => log.end());
    return new Promise((resolve, reject) => {
      let stdout = '';
      let tail = '';
      const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
      child.stderr.on('data', (chunk: Buffer) => {
        log.write(chunk);
        tail = (tail + chunk.toString()).slice(-2000);
      });
      child.stdout.on('data', (chunk: Buffer) => {
        log.write(chunk);
        stdout += chunk.toString();
        if (!/^odradek ready: PLAINTEXT:\/\/\S+\n/m.test(stdout)) return;
        clearTimeout(timer);
        resolve();
      });
      child.once('exit', (code, signal) => {
        clearTimeout(timer);
        reject(new Error(`odradek ended (${code ?? signal}) before it was ready:\n${stdout}${tail}`));
      });
    });
  }

  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.#launch();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await ended;
    clearTimeout(timer);
  }
}

/**
 * A port that is free together with the next one. The range lies below the ports that the system gives to outgoing
 * connections, so that a port stays free while its broker restarts; COMPAT_PORTS=FIRST-LAST moves it.
 */
async function freePortPair(): Promise<number> {
  const [first, last] = (process.env.COMPAT_PORTS ?? '19100-19199').split('-').map(Number);
  const pairs = Math.floor((last - first + 1) / 2);
  const start = Math.floor(Math.random() * pairs);
  for (let i = 0; i < pairs; i++) {
    const port = first + 2 * ((start + i) % pairs);
    if ((await isFree(port)) && (await isFree(port + 1))) return port;
  }
  throw new Error(`no two neighbouring free ports in ${first}-${last}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
