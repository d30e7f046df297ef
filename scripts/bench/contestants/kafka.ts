import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureJars, javaArgs, oracleAvailable } from '../../../compat-tests/oracle/jars.ts';
import type { Contestant } from '../broker.ts';
import { type Command, run } from '../child.ts';

/** What Kafka's own start script gives the JVM of a broker (KAFKA_HEAP_OPTS aside, which is -Xms1G -Xmx1G there too). */
const SERVER_FLAGS = [
  '-Xms1g',
  '-server',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
  '-XX:+ExplicitGCInvokesConcurrent',
  '-XX:MaxInlineLevel=15',
  '-Djava.awt.headless=true',
];

/** The heap of Kafka's own kafka-producer-perf-test.sh and kafka-consumer-perf-test.sh. */
const TOOL_HEAP = '512m';

/** Why Apache Kafka cannot run here, or undefined. */
export function kafkaMissing(): string | undefined {
  const oracle = oracleAvailable();
  return oracle.available ? undefined : oracle.reason;
}

/** One node with Kafka's defaults, but for the replication of internal topics and the delay before the first rebalance. */
function properties(directory: string, port: number): string {
  return [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@127.0.0.1:${port + 1}`,
    `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${port + 1}`,
    `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names=CONTROLLER',
    `log.dirs=${join(directory, 'data')}`,
    'offsets.topic.replication.factor=1',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'share.coordinator.state.topic.replication.factor=1',
    'share.coordinator.state.topic.min.isr=1',
    'group.initial.rebalance.delay.ms=0',
    '',
  ].join('\n');
}

/** Apache Kafka as one combined broker and controller. Needs `port` and `port + 1`. */
export const kafka: Contestant = {
  name: 'kafka',
  description: 'Apache Kafka 4.3.1, one combined node, 1 GB heap and the JVM flags of its own start script',

  async prepare(directory, port) {
    ensureJars();
    const file = join(directory, 'server.properties');
    writeFileSync(file, properties(directory, port));
    const format = ['kafka.tools.StorageTool', 'format', '-t', 'b2RyYWRlay1iZW5jaC0wMQ', '-c', file];
    await run({ file: 'java', args: [...javaArgs(), ...format] });
  },

  command(directory) {
    const jvm = javaArgs({ logLevel: 'info', heap: '1g', flags: SERVER_FLAGS });
    return { file: 'java', args: [...jvm, 'kafka.Kafka', join(directory, 'server.properties')] };
  },
};

/** The command line of one of Kafka's tools, with the heap of Kafka's own scripts and the JVM's default compilers. */
export function kafkaTool(className: string, args: string[]): Command {
  ensureJars();
  return { file: 'java', args: [...javaArgs({ heap: TOOL_HEAP }), className, ...args] };
}
