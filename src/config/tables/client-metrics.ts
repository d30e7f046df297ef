import { define } from '../definition.ts';

/** A client-metrics subscription (KIP-714). */
export const clientMetricsTable = [
  define('metrics', 'list', []),
  define('interval.ms', 'int', 300_000),
  define('match', 'list', []),
];
