/**
 * `node scripts/build.ts [FOLDER]` bundles odradek into dist/ or FOLDER: odradek.js, the command; index.js, for embedding;
 * storage-*.js, which both start threads from (storage/thread-file.ts); and the chunks that they share. The command's own
 * file stays tiny: it turns V8's compile cache on before anything large is loaded (DESIGN decision 1).
 */

import { chmodSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

const OUT = process.argv[2] ?? 'dist';
/** Packages with native code cannot be bundled; npm installs them beside the bundle. */
const NATIVE = ['@node-rs/crc32', 'koffi', 'lz4-napi', 'snappy'];

rmSync(OUT, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: {
    odradek: 'src/main.ts',
    index: 'src/index.ts',
    'storage-check-thread': 'storage/check-thread.ts',
    'storage-compaction-thread': 'storage/compaction/thread.ts',
  },
  outdir: OUT,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  external: NATIVE,
  chunkNames: 'chunks/[name]-[hash]',
  // Some bundled packages are CommonJS and ask for Node's own modules.
  banner: {
    js: "import { createRequire as requireFor } from 'node:module';\nconst require = requireFor(import.meta.url);",
  },
  legalComments: 'linked',
  logLevel: 'warning',
  metafile: true,
});
chmodSync(`${OUT}/odradek.js`, 0o755);

const bytes = Object.values(metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
process.stdout.write(`${OUT}: ${Object.keys(metafile.outputs).length} files, ${Math.round(bytes / 1024)} KiB\n`);
