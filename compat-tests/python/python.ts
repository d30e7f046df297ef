import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kafkaHome } from '../oracle/jars.ts';

/** The client that the tests were written with (librdkafka of the same version). */
const PACKAGE = 'confluent-kafka==2.16.1';

const home = join(kafkaHome, 'python');
const doneMarker = join(home, `.done-${PACKAGE}`);

export type Python = { python: string } | { unavailable: string };

/** A Python with confluent-kafka, in an environment of its own that is made once a machine; or why there is none. */
export function confluentKafka(): Python {
  const python = join(home, 'bin', 'python');
  if (existsSync(doneMarker)) return { python };
  const system = spawnSync('python3', ['--version'], { encoding: 'utf8' });
  if (system.error || system.status !== 0) return { unavailable: 'no Python here (python3 not found)' };
  mkdirSync(home, { recursive: true });
  const made = spawnSync('python3', ['-m', 'venv', home], { encoding: 'utf8' });
  if (made.status !== 0) return { unavailable: `python3 -m venv failed: ${made.stderr.trim() || made.stdout.trim()}` };
  const installed = spawnSync(python, ['-m', 'pip', 'install', '--quiet', PACKAGE], { encoding: 'utf8' });
  if (installed.status !== 0) return { unavailable: `pip could not install ${PACKAGE}: ${installed.stderr.trim()}` };
  writeFileSync(doneMarker, '');
  return { python };
}
