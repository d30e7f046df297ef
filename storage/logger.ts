/** The part of pino's interface that storage uses. */
export interface StorageLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const ignore = (): void => {};

export const SILENT_LOGGER: StorageLogger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
