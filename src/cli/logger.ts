import { type LoggerOptions, pino } from 'pino';
import type { Logger } from '../env.ts';
import type { LogLevel } from './options.ts';

const LEVELS_OF_LOG4J: Record<string, LogLevel> = {
  TRACE: 'debug',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
  FATAL: 'error',
};

/** The level that Kafka's image takes from the environment. */
export function levelFromEnvironment(environment: Readonly<Record<string, string | undefined>>): LogLevel {
  return LEVELS_OF_LOG4J[environment.KAFKA_LOG4J_ROOT_LOGLEVEL?.toUpperCase() ?? ''] ?? 'info';
}

/**
 * Logs to stderr: for a person on a terminal, one JSON object a line otherwise. Written synchronously, so that the last
 * words of a failing process are not lost.
 */
export async function createLogger(level: LogLevel, pretty: boolean): Promise<Logger> {
  const options: LoggerOptions = { level, base: null };
  if (!pretty) return pino(options, pino.destination({ dest: 2, sync: true }));
  const { default: prettify } = await import('pino-pretty');
  return pino(options, prettify({ destination: 2, sync: true, translateTime: 'SYS:HH:MM:ss.l', singleLine: true }));
}
