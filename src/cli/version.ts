import { readFileSync } from 'node:fs';

/** The version in package.json, which stands one folder above the bundle and two above this source. */
export function version(): string {
  const here = import.meta.url;
  const path = here.endsWith('/src/cli/version.ts') ? '../../package.json' : '../package.json';
  const manifest: unknown = JSON.parse(readFileSync(new URL(path, here), 'utf8'));
  return (manifest as { version: string }).version;
}
