import { shareOffsetReset } from '../checks.ts';
import { define } from '../definition.ts';

/** What a group may override (KIP-848, KIP-932, KIP-1071). */
export const groupTable = [
  define('consumer.session.timeout.ms', 'int', 45_000, { atLeast: 1 }),
  define('consumer.heartbeat.interval.ms', 'int', 5000, { atLeast: 1 }),
  define('consumer.assignment.interval.ms', 'int', 1000, { atLeast: 0 }),
  define('share.session.timeout.ms', 'int', 45_000, { atLeast: 1 }),
  define('share.heartbeat.interval.ms', 'int', 5000, { atLeast: 1 }),
  define('share.record.lock.duration.ms', 'int', 30_000, { atLeast: 1000 }),
  define('share.delivery.count.limit', 'int', 5, { atLeast: 2 }),
  define('share.partition.max.record.locks', 'int', 2000, { atLeast: 100 }),
  define('share.auto.offset.reset', 'string', 'latest', { check: shareOffsetReset }),
  define('share.isolation.level', 'string', 'read_uncommitted', { oneOf: ['read_committed', 'read_uncommitted'] }),
  define('share.renew.acknowledge.enable', 'boolean', true),
  define('share.assignment.interval.ms', 'int', 1000, { atLeast: 0 }),
  define('streams.session.timeout.ms', 'int', 45_000, { atLeast: 1 }),
  define('streams.heartbeat.interval.ms', 'int', 5000, { atLeast: 1 }),
  define('streams.num.standby.replicas', 'int', 0, { atLeast: 0 }),
  define('streams.initial.rebalance.delay.ms', 'int', 3000, { atLeast: 0 }),
  define('streams.assignment.interval.ms', 'int', 1000, { atLeast: 0 }),
];
