/** The commands as yargs knows them: for help, for explaining mistakes, and for all commands but a plain start. */

import yargs, { type Argv } from 'yargs';
import { type RawStartOptions, START_OPTIONS, type StartOptions, startOptions, UsageError } from './options.ts';
import { version } from './version.ts';

function startBuilder(command: Argv): Argv {
  for (const [name, option] of Object.entries(START_OPTIONS)) {
    const { type, describe } = option;
    command.option(name, { type, describe, requiresArg: type === 'string', array: 'multiple' in option });
  }
  return command;
}

function wireBuilder(command: Argv) {
  return command
    .positional('direction', { choices: ['decode', 'encode'] as const, demandOption: true })
    .option('frame', {
      choices: ['request', 'response'] as const,
      describe: 'Whole frames as captured, with their headers, instead of single messages',
    });
}

function dumpBuilder(command: Argv) {
  return command
    .positional('files', { type: 'string', array: true, demandOption: true, describe: 'Files of a data directory' })
    .option('records', { type: 'boolean', default: false, describe: 'The records of the batches, too' });
}

/** Runs one command line; returns the exit code. Throws UsageError with yargs' words for a wrong one. */
export async function runCommands(
  args: readonly string[],
  start: (options: StartOptions) => Promise<number>,
): Promise<number> {
  let code = 0;
  const parser = yargs([...args])
    .scriptName('odradek')
    .usage('$0 [command] [options]\n\nA Kafka-compatible broker. Without a command: start.')
    .command(['start', '$0'], 'Run a broker', startBuilder, async (options) => {
      code = await start(startOptions(options as RawStartOptions));
    })
    .command(
      'wire <direction>',
      "Convert Kafka's messages: JSON lines on stdin and stdout",
      wireBuilder,
      async (options) => {
        const { wireCommand } = await import('./wire.ts');
        code = await wireCommand(options.direction, options.frame ?? null);
      },
    )
    .command(
      'dump <files..>',
      'Show what files of a data directory hold: logs, indexes, snapshots, checkpoints; a JSON object a line',
      dumpBuilder,
      async ({ files, records }) => {
        const { dumpCommand } = await import('./dump/dump.ts');
        code = await dumpCommand({ files, records });
      },
    )
    .parserConfiguration({ 'camel-case-expansion': false, 'parse-numbers': false })
    .strict()
    .version(version)
    .help()
    .exitProcess(false)
    .fail((message, error) => {
      // An error from a command is its own; those of yargs itself are about the command line.
      if (error !== undefined && error.name !== 'YError') throw error;
      throw new UsageError(`${message.replace(/\s*\n\s*/g, ' ')}. See odradek --help.`);
    });
  await parser.parseAsync();
  return code;
}
