/** Java libraries beside Kafka's own, and programs against them. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kafkaHome } from './jars.ts';

/** The jars that `pom` asks for, kept as `NAME-libs` beside Kafka's; fetched once a machine. Throws when Maven fails. */
export function libraryJars(name: string, pom: string): string[] {
  const libs = join(kafkaHome, `${name}-libs`);
  const doneMarker = join(libs, '.done');
  if (!existsSync(doneMarker)) {
    mkdirSync(libs, { recursive: true });
    const args = ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${libs}`];
    const maven = spawnSync('mvn', args, { encoding: 'utf8' });
    if (maven.status !== 0) throw new Error(`Maven could not fetch ${name}:\n${maven.stdout}${maven.stderr}`);
    writeFileSync(doneMarker, '');
  }
  const jars = readdirSync(libs).filter((file) => file.endsWith('.jar'));
  return jars.map((file) => join(libs, file));
}

const compiled = new Map<string, string>();

/** Compiles a file, once a run; gives the directory of its classes. Throws with the compiler's words. */
export function compiledClasses(source: string, classPath: string): string {
  const known = compiled.get(source);
  if (known !== undefined) return known;
  const directory = mkdtempSync(join(tmpdir(), 'odradek-java-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const javac = spawnSync('javac', ['-cp', classPath, '-d', directory, source], { encoding: 'utf8' });
  if (javac.status !== 0) throw new Error(`${source} could not be compiled:\n${javac.stderr}`);
  compiled.set(source, directory);
  return directory;
}
