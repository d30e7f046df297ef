import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where Apache Kafka's jars and log settings are kept between runs. */
export const kafkaHome = process.env.ODRADEK_KAFKA_HOME ?? join(homedir(), '.cache', 'odradek-kafka');

const libs = join(kafkaHome, 'libs');
const doneMarker = join(libs, '.done');

let javaVersion: string | undefined;

/** What `java -version` says, asked once; undefined without Java. */
function askJava(): string | undefined {
  if (javaVersion === undefined) {
    const java = spawnSync('java', ['-version'], { encoding: 'utf8' });
    if (!java.error && java.status === 0) javaVersion = java.stderr;
  }
  return javaVersion;
}

/** A short name of the JVM's very build, for file names. */
export const javaBuild = (): string =>
  createHash('sha256')
    .update(askJava() ?? '')
    .digest('hex')
    .slice(0, 12);

export type Availability = { available: true } | { available: false; reason: string };

/** Says whether Apache Kafka can be run here: Java 17 or later, and Maven unless the jars are already in the cache. */
export function oracleAvailable(): Availability {
  const java = askJava();
  if (java === undefined) return { available: false, reason: 'no Java here (java not found)' };
  const release = Number(/version "(\d+)/.exec(java)?.[1] ?? 0);
  if (release < 17) return { available: false, reason: `Java ${release} is too old for Apache Kafka 4 (17 needed)` };
  if (existsSync(doneMarker)) return { available: true };
  const maven = spawnSync('mvn', ['-version'], { encoding: 'utf8' });
  if (maven.error || maven.status !== 0)
    return { available: false, reason: 'no Maven here to fetch Apache Kafka with' };
  return { available: true };
}

/** Fetches the jars unless they are there (126 MB, once a machine) and writes the log settings. Throws when Maven fails. */
export function ensureJars(): void {
  if (!existsSync(doneMarker)) {
    rmSync(libs, { recursive: true, force: true });
    mkdirSync(libs, { recursive: true });
    const pom = join(import.meta.dirname, 'pom.xml');
    const args = ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${libs}`];
    const maven = spawnSync('mvn', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    if (maven.status !== 0) throw new Error(`Maven could not fetch Apache Kafka:\n${maven.stdout}${maven.stderr}`);
    writeFileSync(doneMarker, '');
  }
  for (const level of ['warn', 'info']) {
    if (!existsSync(logSettings(level))) writeFileSync(logSettings(level), logProperties(level));
  }
}

const logSettings = (level: string): string => join(kafkaHome, `log4j2-${level}.properties`);

const logProperties = (level: string): string =>
  [
    'status=error',
    'appender.stderr.type=Console',
    'appender.stderr.name=stderr',
    'appender.stderr.target=SYSTEM_ERR',
    'appender.stderr.layout.type=PatternLayout',
    'appender.stderr.layout.pattern=%d %p %m (%c)%n%throwable',
    `rootLogger.level=${level}`,
    'rootLogger.appenderRef.stderr.ref=stderr',
    '',
  ].join('\n');

export type JvmOptions = { logLevel?: 'warn' | 'info'; heap?: string; flags?: string[] };

/**
 * The arguments of `java` before the main class. The class path names every jar, since a source file started by `java
 * File.java` does not see jars behind a wildcard in java.class.path.
 */
export function javaArgs({ logLevel = 'warn', heap = '256m', flags = [] }: JvmOptions = {}): string[] {
  const jars = readdirSync(libs).filter((name) => name.endsWith('.jar'));
  const classPath = jars.map((name) => join(libs, name)).join(':');
  return [`-Xmx${heap}`, ...flags, `-Dlog4j2.configurationFile=${logSettings(logLevel)}`, '-cp', classPath];
}
