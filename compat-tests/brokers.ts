import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startKafkaQuickly } from './oracle/server.ts';
import { freePortPair } from './ports.ts';
import { ServerProcess } from './server-process.ts';

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

/** Where a broker lives. Brokers of both kinds may live at one home, one after the other. */
export interface Home {
  /** Holds `data/`, and `server.log` with what the brokers print. */
  readonly directory: string;
  /** Of the clients; Kafka's controller takes the next one. */
  readonly port: number;
}

/** Starts in a new home, unless parts of one are given. */
export type StartOptions = Partial<Home> & {
  properties?: Record<string, string>;
  /** The voters of the metadata quorum stand in its log (kraft.version 1), not in the configuration. */
  standalone?: boolean;
};

const newDirectory = (label: string): string => mkdtempSync(join(tmpdir(), `odradek-compat-${label}-`));

/** A home for brokers: an empty directory and a free pair of ports. */
export const newHome = async (label: string): Promise<Home> => ({
  directory: newDirectory(label),
  port: await freePortPair(),
});

/** Removes a home with all data, unless COMPAT_KEEP is set. */
export function removeHome({ directory }: Home): void {
  if (process.env.COMPAT_KEEP === undefined) rmSync(directory, { recursive: true, force: true });
}

/** Starts a broker of the given kind as a process of its own. */
export async function startBroker(name: BrokerName, options: StartOptions = {}): Promise<OwnBroker> {
  const { directory = newDirectory(name), port = await freePortPair() } = options;
  const { properties = {}, standalone = false } = options;
  const home = { directory, port };
  const voters: Record<string, string> = standalone ? {} : { 'controller.quorum.voters': `1@127.0.0.1:${port + 1}` };
  const server = await (name === 'kafka'
    ? startKafkaQuickly({ ...home, properties, standalone })
    : startOdradek(home, { ...voters, ...properties }));
  return {
    name,
    directory,
    bootstrapServers: `127.0.0.1:${home.port}`,
    stop: () => server.stop(),
    kill: () => server.kill(),
    restart: () => server.restart(),
    remove: async () => {
      await server.stop();
      removeHome(home);
    },
  };
}

/** odradek as its users start it: a process that prints one ready line. */
async function startOdradek({ directory, port }: Home, properties: Record<string, string>): Promise<ServerProcess> {
  const main = join(import.meta.dirname, '..', 'src', 'main.ts');
  const settings = Object.entries(properties).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
  const server = new ServerProcess({
    name: 'odradek',
    program: process.execPath,
    args: [main, 'start', '--port', String(port), '--data-dir', join(directory, 'data'), ...settings],
    logFile: join(directory, 'server.log'),
    ready: /^odradek ready: PLAINTEXT:\/\/\S+\n/m,
    readyTimeoutMs: 20_000,
    stopTimeoutMs: 20_000,
  });
  await server.start();
  return server;
}
