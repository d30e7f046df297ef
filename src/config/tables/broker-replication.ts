import { define } from '../definition.ts';

/** Replication, leadership, purgatories. */
export const replicationConfigs = [
  define('num.replica.alter.log.dirs.threads', 'int', null, { importance: 'high' }),
  define('controlled.shutdown.enable', 'boolean', true),
  define('default.replication.factor', 'int', 1),
  define('replica.lag.time.max.ms', 'long', 30_000, { importance: 'high' }),
  define('replica.socket.timeout.ms', 'int', 30_000, { importance: 'high' }),
  define('replica.socket.receive.buffer.bytes', 'int', 65_536, { importance: 'high' }),
  define('replica.fetch.max.bytes', 'int', 1_048_576, { atLeast: 0 }),
  define('replica.fetch.wait.max.ms', 'int', 500, { importance: 'high' }),
  define('replica.fetch.backoff.ms', 'int', 1000, { atLeast: 0 }),
  define('replica.fetch.min.bytes', 'int', 1, { importance: 'high' }),
  define('replica.fetch.response.max.bytes', 'int', 10_485_760, { atLeast: 0 }),
  define('num.replica.fetchers', 'int', 1, { importance: 'high', update: 'cluster-wide', atLeast: 1 }),
  define('replica.high.watermark.checkpoint.interval.ms', 'long', 5000, { importance: 'high' }),
  define('fetch.purgatory.purge.interval.requests', 'int', 1000),
  define('producer.purgatory.purge.interval.requests', 'int', 1000),
  define('delete.records.purgatory.purge.interval.requests', 'int', 1),
  define('auto.leader.rebalance.enable', 'boolean', true, { importance: 'high' }),
  define('leader.imbalance.check.interval.seconds', 'long', 300, { importance: 'high', atLeast: 1 }),
  define('unclean.leader.election.interval.ms', 'long', 300_000, { internal: true, atLeast: 1 }),
  define('unclean.leader.election.enable', 'boolean', false, { importance: 'high', update: 'cluster-wide' }),
  define('security.inter.broker.protocol', 'string', 'PLAINTEXT', {
    oneOf: ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'],
  }),
  define('inter.broker.listener.name', 'string', null),
  define('replica.selector.class', 'string', null),
  define('follower.fetch.last.tiered.offset.enable', 'boolean', false, { update: 'cluster-wide' }),
];
