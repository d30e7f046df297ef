export type { Disk, DiskErrorCode, DiskFile, DiskLock } from './disk.ts';
export { DiskError } from './disk.ts';
export type {
  AbortedTransaction,
  ActiveProducer,
  AppendOrigin,
  AppendResult,
  LogOptions,
  OffsetAndTimestamp,
  StorageClock,
  StorageLogger,
} from './log.ts';
export { Log } from './log.ts';
export type { LogConfig, TimestampType } from './log-config.ts';
export { DEFAULT_LOG_CONFIG } from './log-config.ts';
export type { LogErrorCode } from './log-error.ts';
export { LogError } from './log-error.ts';
