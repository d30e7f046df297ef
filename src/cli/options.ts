/** The options of `odradek start`, told once for both parsers: the quick one and yargs. */

import { parseArgs } from 'node:util';

interface Option {
  readonly type: 'string' | 'boolean';
  readonly multiple?: boolean;
  readonly describe: string;
}

export const START_OPTIONS = {
  config: { type: 'string', describe: "Kafka's server.properties; without it, defaults for development" },
  port: { type: 'string', describe: 'Port to listen on; 0 picks a free one' },
  host: { type: 'string', describe: 'Address to listen on' },
  'data-dir': { type: 'string', describe: 'Directory for the data' },
  'in-memory': { type: 'boolean', describe: 'Keep the data in memory only' },
  set: { type: 'string', multiple: true, describe: 'Set a configuration: name=value; may be repeated' },
  'log-level': { type: 'string', describe: 'debug, info, warn or error' },
} as const satisfies Record<string, Option>;

/** As a parser gives them. */
export interface RawStartOptions {
  readonly config?: string | undefined;
  readonly port?: string | undefined;
  readonly host?: string | undefined;
  readonly 'data-dir'?: string | undefined;
  readonly 'in-memory'?: boolean | undefined;
  readonly set?: readonly string[] | undefined;
  readonly 'log-level'?: string | undefined;
}

export interface StartOptions {
  readonly config: string | null;
  readonly port: number | null;
  readonly host: string | null;
  readonly dataDir: string | null;
  readonly inMemory: boolean;
  readonly set: readonly string[];
  /** null: as the environment says. */
  readonly logLevel: LogLevel | null;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
const LOG_LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error'];

/** Something the person at the console got wrong; the message is all they need to see. */
export class UsageError extends Error {}

function portOf(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new UsageError(`--port takes a number from 0 to 65535, not ${text}`);
  return port;
}

function logLevelOf(text: string): LogLevel {
  if (!LOG_LEVELS.includes(text)) throw new UsageError(`--log-level takes ${LOG_LEVELS.join(', ')}, not ${text}`);
  return text as LogLevel;
}

export function startOptions(raw: RawStartOptions): StartOptions {
  if (raw['in-memory'] && raw['data-dir'] !== undefined) {
    throw new UsageError('--in-memory and --data-dir exclude each other');
  }
  return {
    config: raw.config ?? null,
    port: raw.port === undefined ? null : portOf(raw.port),
    host: raw.host ?? null,
    dataDir: raw['data-dir'] ?? null,
    inMemory: raw['in-memory'] ?? false,
    set: raw.set ?? [],
    logLevel: raw['log-level'] === undefined ? null : logLevelOf(raw['log-level']),
  };
}

/**
 * Reads `odradek [start] OPTIONS` without yargs, whose loading alone takes longer than the rest of a start (40 to 60 ms).
 * Null for whatever else stands there: yargs then runs it or explains it.
 */
export function quickStartOptions(args: readonly string[]): StartOptions | null {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: START_OPTIONS, allowPositionals: true });
    const isStart = positionals.length === 0 || (positionals.length === 1 && positionals[0] === 'start');
    return isStart ? startOptions(values) : null;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    return null;
  }
}
