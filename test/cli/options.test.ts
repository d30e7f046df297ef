import { describe, expect, test } from 'vitest';
import { runCommands } from '../../src/cli/commands.ts';
import { quickStartOptions, type StartOptions } from '../../src/cli/options.ts';

const DEFAULTS: StartOptions = {
  config: null,
  port: null,
  host: null,
  dataDir: null,
  inMemory: false,
  set: [],
  logLevel: null,
};

const LINES: readonly (readonly [readonly string[], Partial<StartOptions>])[] = [
  [[], {}],
  [['start'], {}],
  [['--port', '0'], { port: 0 }],
  [['start', '--port=9092', '--host', '::1'], { port: 9092, host: '::1' }],
  [['--data-dir', './d', '--config', 'server.properties'], { dataDir: './d', config: 'server.properties' }],
  [['--in-memory'], { inMemory: true }],
  [['--set', 'a=1', '--set', 'b=2,3'], { set: ['a=1', 'b=2,3'] }],
  [['--set', 'num.partitions=007', '--log-level', 'debug'], { set: ['num.partitions=007'], logLevel: 'debug' }],
];

/** What yargs makes of a command line. */
async function slowStartOptions(args: readonly string[]): Promise<StartOptions | null> {
  let given: StartOptions | null = null;
  await runCommands(args, async (options) => {
    given = options;
    return 0;
  });
  return given;
}

describe('both parsers take the same', () => {
  test.each(LINES)('%j', async (args, expected) => {
    expect(quickStartOptions(args)).toEqual({ ...DEFAULTS, ...expected });
    expect(await slowStartOptions(args)).toEqual({ ...DEFAULTS, ...expected });
  });
});

describe('mistakes', () => {
  test.each([[['--prot', '1']], [['strat']], [['start', 'more']], [['--port']], [['wire', 'decode']], [['--help']]])(
    '%j is left to yargs',
    (args) => {
      expect(quickStartOptions(args)).toBeNull();
    },
  );

  test.each([
    [['--port', 'abc'], '--port takes a number from 0 to 65535, not abc'],
    [['--port', '70000'], '--port takes a number from 0 to 65535, not 70000'],
    [['--log-level', 'loud'], '--log-level takes debug, info, warn, error, not loud'],
    [['--in-memory', '--data-dir', 'd'], '--in-memory and --data-dir exclude each other'],
  ])('%j is told at once', (args, message) => {
    expect(() => quickStartOptions(args)).toThrow(message);
  });

  test.each([
    [['strat'], 'Unknown argument: strat. See odradek --help.'],
    [['--prot', '1'], 'Unknown argument: prot. See odradek --help.'],
    [['--port'], 'Not enough arguments following: port. See odradek --help.'],
    [['wire', 'decod'], 'Invalid values: Argument: direction, Given: "decod", Choices: "decode", "encode".'],
  ])('%j is explained by yargs', async (args, message) => {
    await expect(slowStartOptions(args)).rejects.toThrow(message);
  });
});
