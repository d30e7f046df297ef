/** The command line. The usual way, `odradek start`, avoids all that it can do without; the rest goes through yargs. */

import { quickStartOptions, type StartOptions, UsageError } from './options.ts';
import { version } from './version.ts';

async function runStart(options: StartOptions): Promise<number> {
  const { processHost, start } = await import('./start.ts');
  const code = await start(options, processHost);
  // Whatever may still be open, a broker that has stopped must end.
  processHost.exit(code);
  return code;
}

/** Runs a command line, without the names of node and the script; returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    if (args.length === 1 && args[0] === '--version') {
      process.stdout.write(`${version}\n`);
      return 0;
    }
    const quick = quickStartOptions(args);
    if (quick !== null) return await runStart(quick);
    const { runCommands } = await import('./commands.ts');
    return await runCommands(args, runStart);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`odradek: ${error.message}\n`);
    return 1;
  }
}
