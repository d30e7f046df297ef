import type { LogCleaner } from '../../storage/index.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import type { Controller } from '../controller/controller.ts';
import type { Clock } from '../env.ts';
import type { Partitions } from '../partition/partitions.ts';
import type { LogDirectories } from './log-directories.ts';
import type { Chore } from './maintenance.ts';
import { Retention } from './retention.ts';

/** As often as Kafka's raft client looks for snapshots that may go. */
const METADATA_CHECK_MS = 60_000;
/** Kafka's LogManager wakes that often to delete files whose delay is over. */
const DELETE_CHECK_MS = 1000;
/** How soon recovery points are written after a flush, well before log.flush.offset.checkpoint.interval.ms; it costs one small file. */
const FLUSHED_CHECKPOINT_MS = 2000;
/** How often logs that have failed are tried again: the disk may have room by now. */
const REVIVAL_MS = 2000;

interface ChoresOptions {
  config(): BrokerConfig;
  readonly clock: Clock;
  readonly logs: LogDirectories;
  readonly partitions: Partitions;
  readonly cleaner: LogCleaner;
  readonly controller: Controller;
  /** Tries again to open partitions that could not be opened. */
  retry(): void;
}

export function chores({ config, clock, logs, partitions, cleaner, controller, retry }: ChoresOptions): Chore[] {
  const retention = new Retention({ clock, partitions, logs });
  return [
    {
      name: 'retention',
      intervalMs: () => config().get('log.retention.check.interval.ms'),
      run: () => retention.run(),
    },
    {
      name: 'checkpoint',
      intervalMs: () => config().get('log.flush.offset.checkpoint.interval.ms'),
      run: () => logs.checkpoint(partitions),
    },
    {
      name: 'checkpoint of flushed logs',
      intervalMs: () => FLUSHED_CHECKPOINT_MS,
      run: () => logs.checkpointFlushed(),
    },
    {
      name: 'checkpoint of log starts',
      intervalMs: () => config().get('log.flush.start.offset.checkpoint.interval.ms'),
      run: () => logs.checkpointLogStarts(),
    },
    {
      name: 'producer expiration',
      intervalMs: () => config().get('producer.id.expiration.check.interval.ms'),
      run: () => {
        for (const { log } of partitions.all()) log.removeExpiredProducers(clock.nowMs());
      },
    },
    { name: 'flush', intervalMs: () => flushIntervalMs(config()), run: () => logs.flushDue() },
    {
      name: 'compaction',
      intervalMs: () => config().get('log.cleaner.backoff.ms'),
      run: () => (isCleanerOn(config()) ? cleaner.run() : undefined),
    },
    {
      name: 'revival',
      intervalMs: () => REVIVAL_MS,
      run: () => {
        partitions.reviveFailed();
        retry();
      },
    },
    { name: 'deletion', intervalMs: () => DELETE_CHECK_MS, run: () => logs.deleteDue() },
    { name: 'metadata log', intervalMs: () => METADATA_CHECK_MS, run: () => controller.maintain() },
  ];
}

/** log.flush.scheduler.interval.ms is "never" by default; then there is nothing to look for more than once a minute. */
const flushIntervalMs = (config: BrokerConfig): number =>
  Math.min(config.get('log.flush.scheduler.interval.ms'), 60_000);

/** No thread of ours does nothing but compact: one log is compacted at a time, beside all else. A number of threads of 0 means never. */
const isCleanerOn = (config: BrokerConfig): boolean =>
  config.get('log.cleaner.enable') && config.get('log.cleaner.threads') > 0;
