import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Contestant } from '../broker.ts';
import { run } from '../child.ts';

const sources = join(import.meta.dirname, '..', 'kfake');
const cache = process.env.ODRADEK_BENCH_CACHE ?? join(homedir(), '.cache', 'odradek-bench');
const binary = join(cache, 'kfake');

/** Builds the little server around franz-go's kfake; says why it cannot, or undefined. */
export async function buildKfake(): Promise<string | undefined> {
  mkdirSync(cache, { recursive: true });
  try {
    await run({ file: 'go', args: ['-C', sources, 'build', '-o', binary, '.'] });
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? 'no Go here (go not found)' : message;
  }
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
  inMemory: true,
};
