import { define } from '../definition.ts';

/** Metrics, client telemetry (KIP-714) and the windows in which quotas are measured. */
export const quotaAndMetricsConfigs = [
  define('metrics.num.samples', 'int', 2, { importance: 'low', atLeast: 1 }),
  define('metrics.sample.window.ms', 'long', 30_000, { importance: 'low', atLeast: 1 }),
  define('metric.reporters', 'list', ['org.apache.kafka.common.metrics.JmxReporter'], {
    importance: 'low',
    update: 'cluster-wide',
  }),
  define('metrics.recording.level', 'string', 'INFO', { importance: 'low' }),
  define('kafka.metrics.reporters', 'list', [], { importance: 'low' }),
  define('kafka.metrics.polling.interval.secs', 'int', 10, { importance: 'low', atLeast: 1 }),
  define('telemetry.max.bytes', 'int', 1_048_576, { importance: 'low', atLeast: 1 }),
  define('quota.window.num', 'int', 11, { importance: 'low', atLeast: 1 }),
  define('replication.quota.window.num', 'int', 11, { importance: 'low', atLeast: 1 }),
  define('alter.log.dirs.replication.quota.window.num', 'int', 11, { importance: 'low', atLeast: 1 }),
  define('controller.quota.window.num', 'int', 11, { importance: 'low', atLeast: 1 }),
  define('quota.window.size.seconds', 'int', 1, { importance: 'low', atLeast: 1 }),
  define('replication.quota.window.size.seconds', 'int', 1, { importance: 'low', atLeast: 1 }),
  define('alter.log.dirs.replication.quota.window.size.seconds', 'int', 1, { importance: 'low', atLeast: 1 }),
  define('controller.quota.window.size.seconds', 'int', 1, { importance: 'low', atLeast: 1 }),
  define('client.quota.callback.class', 'class', null, { importance: 'low' }),
];
