/** What to tell a person whose broker did not start: one line that says what is wrong and, where it can, what to do. */

import { DiskError, type DiskErrorCode } from '../../storage/disk.ts';
import { InvalidConfigError } from '../config/value.ts';
import { UnreadableMetadata } from '../raft/unreadable-metadata.ts';
import { UsageError } from './options.ts';

const DISK_FAILURES: Record<DiskErrorCode, (path: string) => string> = {
  LOCKED: (path) => `Another broker holds the data directory (${path} is locked).`,
  NO_ACCESS: (path) => `No permission to write ${path}.`,
  NO_SPACE: (path) => `No space left on the device that holds ${path}.`,
  TOO_MANY_FILES: (path) => `No file descriptor is free for ${path} (ulimit -n).`,
  NOT_FOUND: (path) => `${path} does not exist.`,
  EXISTS: (path) => `${path} is in the way: it exists and is not what odradek expects there.`,
  IO: (path) => `${path} cannot be read or written.`,
};

interface SystemError extends Error {
  readonly code: string;
  readonly syscall?: string;
  readonly address?: string;
  readonly hostname?: string;
  readonly port?: number;
}

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

function listenFailure(error: SystemError): string | null {
  const where = `${error.address ?? error.hostname ?? '*'}:${error.port ?? '?'}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return `Port ${error.port ?? '?'} is taken: something listens on ${where} already. Another one can be chosen with --port.`;
    case 'EACCES':
      return error.syscall === 'listen' ? `No permission to listen on ${where}.` : null;
    case 'EADDRNOTAVAIL':
      return `${error.address ?? '?'} is no address of this machine, so odradek cannot listen on it.`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `The host ${error.hostname ?? '?'} is unknown, so odradek cannot listen on it.`;
    default:
      return null;
  }
}

/** One line for a failure that a person can mend; null for anything else, which is a bug in odradek. */
export function explainFailure(error: unknown): string | null {
  if (error instanceof UsageError || error instanceof InvalidConfigError) return error.message;
  if (error instanceof UnreadableMetadata) return error.message;
  if (error instanceof DiskError) return DISK_FAILURES[error.code](error.path);
  return isSystemError(error) ? listenFailure(error) : null;
}
