#!/usr/bin/env node
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { ensureJars, kafkaHome, oracleAvailable } from './jars.ts';
import { startKafka } from './server.ts';
import { codecCommand, toolCommand } from './tool.ts';

const usage = `Apache Kafka 4.3.1 beside odradek (Java 17+; Maven the first time). Jars in ${kafkaHome}.

  node compat-tests/oracle/main.ts fetch                          copy the jars (the other verbs do it when needed)
  node compat-tests/oracle/main.ts server DIR PORT [k=v ...]      run one node on 127.0.0.1:PORT until interrupted
  node compat-tests/oracle/main.ts tool CLASS ARGS...             run a tool, e.g. org.apache.kafka.tools.TopicCommand
  node compat-tests/oracle/main.ts codec gen N SEED | decode | encode      Kafka's generated codecs, JSON lines
  node compat-tests/oracle/main.ts schemas DIR                    unpack the JSON definitions of messages into DIR
`;

/** Runs `java` on our own stdin, stdout and stderr and ends with its exit code. */
function becomeJava(args: string[]): void {
  const child = spawn('java', args, { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  child.on('exit', (code) => process.exit(code ?? 1));
}

async function serve(directory: string, port: number, settings: string[]): Promise<void> {
  const properties = Object.fromEntries(
    settings.map((setting) => [setting.slice(0, setting.indexOf('=')), setting.slice(setting.indexOf('=') + 1)]),
  );
  const heap = process.env.ODRADEK_KAFKA_HEAP;
  const server = await startKafka({ directory: resolve(directory), port, properties, heap });
  console.log(`kafka ready: PLAINTEXT://127.0.0.1:${port}`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => server.stop().then(() => process.exit(0)));
}

const [verb, ...rest] = process.argv.slice(2);
const oracle = oracleAvailable();
if (!oracle.available) {
  console.error(`Apache Kafka cannot be run: ${oracle.reason}`);
  process.exitCode = 1;
} else if (verb === 'fetch') ensureJars();
else if (verb === 'server' && rest.length >= 2) await serve(rest[0], Number(rest[1]), rest.slice(2));
else if (verb === 'tool' && rest.length >= 1) becomeJava(toolCommand(rest[0], rest.slice(1)));
else if (verb === 'codec' && rest.length >= 1) becomeJava(codecCommand(rest));
else if (verb === 'schemas' && rest.length === 1) becomeJava(codecCommand(['schemas', rest[0]]));
else {
  console.error(usage);
  process.exitCode = 2;
}
