/** Errors on their way from thread to thread, where objects lose their class. */
import { DiskError, type DiskErrorCode } from '../disk.ts';
import { LogError, type LogErrorCode } from '../log-error.ts';
import { CompactionAborted } from './worker.ts';

export type EncodedError =
  | { readonly kind: 'aborted' }
  | { readonly kind: 'disk'; readonly code: DiskErrorCode; readonly path: string; readonly cause: unknown }
  | { readonly kind: 'log'; readonly code: LogErrorCode; readonly message: string }
  | { readonly kind: 'other'; readonly error: unknown };

export function encodeError(error: unknown): EncodedError {
  if (error instanceof CompactionAborted) return { kind: 'aborted' };
  if (error instanceof DiskError) return { kind: 'disk', code: error.code, path: error.path, cause: error.cause };
  if (error instanceof LogError) return { kind: 'log', code: error.code, message: error.message };
  return { kind: 'other', error };
}

export function decodeError(encoded: EncodedError): unknown {
  switch (encoded.kind) {
    case 'aborted':
      return new CompactionAborted();
    case 'disk':
      return new DiskError(encoded.code, encoded.path, encoded.cause);
    case 'log':
      return new LogError(encoded.code, encoded.message);
    case 'other':
      return encoded.error;
  }
}
