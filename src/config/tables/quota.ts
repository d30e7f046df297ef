import { define, INT_MAX, LONG_MAX } from '../definition.ts';

/** Throttles that exist only as dynamic broker configurations (KIP-73, KIP-113). Bytes per second. */
export const brokerThrottleTable = [
  define('leader.replication.throttled.rate', 'long', LONG_MAX, { update: 'cluster-wide', atLeast: 0 }),
  define('follower.replication.throttled.rate', 'long', LONG_MAX, { update: 'cluster-wide', atLeast: 0 }),
  define('replica.alter.log.dirs.io.max.bytes.per.second', 'long', LONG_MAX, { update: 'cluster-wide', atLeast: 0 }),
];

/** Quotas of users and clients (KIP-13, KIP-124, KIP-599). */
export const clientQuotaTable = [
  define('producer_byte_rate', 'long', LONG_MAX),
  define('consumer_byte_rate', 'long', LONG_MAX),
  define('request_percentage', 'double', INT_MAX),
  define('controller_mutation_rate', 'double', INT_MAX),
];

/** Quotas of addresses (KIP-612). Connections per second. */
export const ipQuotaTable = [define('connection_creation_rate', 'int', INT_MAX, { atLeast: 0 })];
