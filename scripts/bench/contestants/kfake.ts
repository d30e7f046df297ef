import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Contestant } from '../broker.ts';

const sources = join(import.meta.dirname, '..', 'kfake');
const cache = process.env.ODRADEK_BENCH_CACHE ?? join(homedir(), '.cache', 'odradek-bench');
const binary = join(cache, 'kfake');

/** Builds the little server around franz-go's kfake; says why it cannot, or undefined. */
export function buildKfake(): string | undefined {
  const version = spawnSync('go', ['version'], { encoding: 'utf8' });
  if (version.error || version.status !== 0) return 'no Go here (go not found)';
  mkdirSync(cache, { recursive: true });
  const build = spawnSync('go', ['build', '-o', binary, '.'], { cwd: sources, encoding: 'utf8' });
  return build.status === 0 ? undefined : `go build failed: ${build.stderr.trim()}`;
}

export const kfake: Contestant = {
  name: 'kfake',
  description: 'franz-go kfake (Go), which keeps all records in memory: its memory and speed are without a disk',
  async prepare() {
    // It has no data directory.
  },
  command(_directory, port) {
    return { file: binary, args: [`${port}`] };
  },
};
