/**
 * Archives of loaded classes (JEP 350): what is loaded from one starts in less than half the time. Each is good for one build of
 * the JVM and one set of jars, and is made once a machine.
 */
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { javaBuild, kafkaHome } from './jars.ts';

/** Whose classes an archive holds. */
export type ClassArchive = 'tools' | 'server';

/** The first compiler tier and the serial collector only: little CPU to begin with, and slow in the long run. */
export const quickStart = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xshare:auto'];

const archiveFile = (archive: ClassArchive): string => join(kafkaHome, `${archive}-${javaBuild()}.jsa`);

/** Flags that use an archive where it is there. */
export const archiveFlags = (archive: ClassArchive): string[] =>
  existsSync(archiveFile(archive)) ? [`-XX:SharedArchiveFile=${archiveFile(archive)}`] : [];

/** Makes an archive unless it is there: `run` has to start a JVM with the flags that it gets and to see it end in good order. */
export async function ensureArchive(archive: ClassArchive, run: (flags: string[]) => Promise<void>): Promise<void> {
  if (existsSync(archiveFile(archive))) return;
  // Written under a name of its own first: a run that is broken off leaves no half an archive.
  const draft = `${archiveFile(archive)}.${process.pid}`;
  await run([`-XX:ArchiveClassesAtExit=${draft}`]);
  if (existsSync(draft)) renameSync(draft, archiveFile(archive));
}
