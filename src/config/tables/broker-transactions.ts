import { define } from '../definition.ts';

/** Transactions and producer ids (KIP-98, KIP-890). */
export const transactionConfigs = [
  define('transaction.state.log.min.isr', 'int', 2, { importance: 'high', atLeast: 1 }),
  define('transaction.state.log.load.buffer.size', 'int', 5_242_880, { importance: 'high', atLeast: 1 }),
  define('transaction.state.log.replication.factor', 'short', 3, { importance: 'high', atLeast: 1 }),
  define('transaction.state.log.num.partitions', 'int', 50, { importance: 'high', atLeast: 1 }),
  define('transaction.state.log.segment.bytes', 'int', 104_857_600, { importance: 'high', atLeast: 1 }),
  define('transaction.partition.verification.enable', 'boolean', true, { importance: 'low', update: 'cluster-wide' }),
  define('producer.id.expiration.ms', 'int', 86_400_000, { importance: 'low', update: 'cluster-wide', atLeast: 1 }),
  define('producer.id.expiration.check.interval.ms', 'int', 600_000, { importance: 'low', internal: true, atLeast: 1 }),
  define('transactional.id.expiration.ms', 'int', 604_800_000, { importance: 'high', atLeast: 1 }),
  define('transaction.max.timeout.ms', 'int', 900_000, { importance: 'high', atLeast: 1 }),
  define('transaction.abort.timed.out.transaction.cleanup.interval.ms', 'int', 10_000, {
    importance: 'low',
    atLeast: 1,
  }),
  define('transaction.remove.expired.transaction.cleanup.interval.ms', 'int', 3_600_000, {
    importance: 'low',
    atLeast: 1,
  }),
  define('transaction.two.phase.commit.enable', 'boolean', false, { importance: 'low' }),
  define('add.partitions.to.txn.retry.backoff.max.ms', 'int', 100, { importance: 'high', atLeast: 0 }),
  define('add.partitions.to.txn.retry.backoff.ms', 'int', 20, { importance: 'high', atLeast: 1 }),
];
