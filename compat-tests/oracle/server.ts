import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServerProcess } from '../server-process.ts';
import { archiveFlags, ensureArchive, quickStart } from './class-archive.ts';
import { ensureJars, javaArgs } from './jars.ts';
import { runTool } from './tool.ts';

export type KafkaServerOptions = {
  /** Everything the server writes: server.properties, data/, server.log. */
  directory: string;
  /** The port of the clients; port + 1 is the controller's. */
  port: number;
  properties?: Record<string, string>;
  /** The voters of the metadata quorum stand in its log (`kafka-storage format --standalone`), not in the configuration. */
  standalone?: boolean;
  clusterId?: string;
  heap?: string;
  /** Flags of the JVM. */
  flags?: string[];
};

/**
 * Starts one combined broker and controller of Apache Kafka on 127.0.0.1, in a JVM of its own; formats the directory on
 * first use; comes back when clients are served.
 */
export async function startKafka(options: KafkaServerOptions): Promise<ServerProcess> {
  ensureJars();
  const { directory, heap = '512m', flags } = options;
  const propertiesFile = join(directory, 'server.properties');
  mkdirSync(directory, { recursive: true });
  writeFileSync(propertiesFile, toProperties(serverProperties(options)));
  if (!existsSync(join(directory, 'data', 'meta.properties'))) await format(propertiesFile, options);
  const server = new ServerProcess({
    name: 'Apache Kafka',
    program: 'java',
    args: [...javaArgs({ logLevel: 'info', heap, flags }), 'kafka.Kafka', propertiesFile],
    logFile: join(directory, 'server.log'),
    // Printed once all listeners accept connections.
    ready: /Kafka Server started/,
    readyTimeoutMs: 60_000,
    stopTimeoutMs: 30_000,
  });
  await server.start();
  return server;
}

/** As startKafka, with a third of the CPU time until it serves. Slower in the long run: for tests, not to measure. */
export async function startKafkaQuickly(options: KafkaServerOptions): Promise<ServerProcess> {
  // The archive is made from a start of the same server, which is its first.
  await ensureArchive('server', async (flags) => {
    const server = await startKafka({ ...options, flags: [...quickStart, ...flags] });
    await server.stop();
  });
  return startKafka({ ...options, flags: [...quickStart, ...archiveFlags('server')] });
}

async function format(propertiesFile: string, { clusterId, standalone }: KafkaServerOptions): Promise<void> {
  const given = ['-t', clusterId ?? 'b2RyYWRlay1jb21wYXQtMQ', '-c', propertiesFile];
  const voters = standalone ? ['--standalone'] : [];
  const result = await runTool('kafka.tools.StorageTool', ['format', ...given, ...voters]);
  if (result.code !== 0) throw new Error(`kafka-storage format failed:\n${result.stdout}${result.stderr}`);
}

/** One node; internal topics with one replica; no delay before the first rebalance of a group. */
function serverProperties(options: KafkaServerOptions): Record<string, string> {
  const { directory, port, properties, standalone } = options;
  const controller = `127.0.0.1:${port + 1}`;
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    ...(standalone
      ? { 'controller.quorum.bootstrap.servers': controller }
      : { 'controller.quorum.voters': `1@${controller}` }),
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://${controller}`,
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
