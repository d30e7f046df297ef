import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Contestant } from '../broker.ts';
import { run } from '../child.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const bundle = join(root, 'dist', 'odradek.js');
const source = join(root, 'src', 'main.ts');
const buildScript = join(root, 'scripts', 'build.ts');

export interface OdradekOptions {
  /** Flags for node, before the script, e.g. --cpu-prof. */
  nodeFlags: readonly string[];
  /** Configuration as k=v, given as --set. */
  settings: readonly string[];
  /** Runs the sources instead of the bundle. */
  fromSource: boolean;
}

/** Builds the bundle unless the sources are asked for; says why odradek cannot run, or undefined. */
export async function buildOdradek(options: OdradekOptions): Promise<string | undefined> {
  if (!options.fromSource && existsSync(buildScript)) await run({ file: process.execPath, args: [buildScript] });
  return existsSync(scriptFile(options)) ? undefined : `neither ${bundle} nor ${source} is there`;
}

function scriptFile({ fromSource }: OdradekOptions): string {
  return !fromSource && existsSync(bundle) ? bundle : source;
}

/** odradek in a process of its own, with its defaults. */
export function odradek(options: OdradekOptions): Contestant {
  const script = scriptFile(options);
  const extras = [...options.nodeFlags, ...options.settings].join(' ');
  return {
    name: 'odradek',
    description: `odradek, ${script === bundle ? 'the bundle' : 'from source'}, node ${process.versions.node}${extras && `, ${extras}`}`,
    async prepare() {
      // odradek formats an empty directory by itself.
    },
    command(directory, port) {
      const settings = options.settings.flatMap((setting) => ['--set', setting]);
      const start = ['start', '--port', `${port}`, '--data-dir', join(directory, 'data'), ...settings];
      return { file: process.execPath, args: [...options.nodeFlags, script, ...start] };
    },
  };
}
