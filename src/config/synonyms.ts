/** Which broker configurations stand behind those of topics and groups, and behind each other. */

/** A broker configuration that gives another one its default, with the factor from its unit to the other's. */
export interface Synonym {
  readonly name: string;
  readonly factor: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

function one(name: string): readonly Synonym[] {
  return [{ name, factor: 1 }];
}

/** For each topic configuration, the broker configurations it takes its default from, most important first. */
export const topicSynonyms: ReadonlyMap<string, readonly Synonym[]> = new Map([
  ['segment.bytes', one('log.segment.bytes')],
  ['segment.ms', [...one('log.roll.ms'), { name: 'log.roll.hours', factor: HOUR_MS }]],
  ['segment.jitter.ms', [...one('log.roll.jitter.ms'), { name: 'log.roll.jitter.hours', factor: HOUR_MS }]],
  ['segment.index.bytes', one('log.index.size.max.bytes')],
  ['flush.messages', one('log.flush.interval.messages')],
  ['flush.ms', [...one('log.flush.interval.ms'), ...one('log.flush.scheduler.interval.ms')]],
  ['retention.bytes', one('log.retention.bytes')],
  [
    'retention.ms',
    [
      ...one('log.retention.ms'),
      { name: 'log.retention.minutes', factor: MINUTE_MS },
      { name: 'log.retention.hours', factor: HOUR_MS },
    ],
  ],
  ['max.message.bytes', one('message.max.bytes')],
  ['index.interval.bytes', one('log.index.interval.bytes')],
  ['delete.retention.ms', one('log.cleaner.delete.retention.ms')],
  ['min.compaction.lag.ms', one('log.cleaner.min.compaction.lag.ms')],
  ['max.compaction.lag.ms', one('log.cleaner.max.compaction.lag.ms')],
  ['file.delete.delay.ms', one('log.segment.delete.delay.ms')],
  ['min.cleanable.dirty.ratio', one('log.cleaner.min.cleanable.ratio')],
  ['cleanup.policy', one('log.cleanup.policy')],
  ['unclean.leader.election.enable', one('unclean.leader.election.enable')],
  ['min.insync.replicas', one('min.insync.replicas')],
  ['compression.type', one('compression.type')],
  ['compression.gzip.level', one('compression.gzip.level')],
  ['compression.lz4.level', one('compression.lz4.level')],
  ['compression.zstd.level', one('compression.zstd.level')],
  ['preallocate', one('log.preallocate')],
  ['message.timestamp.type', one('log.message.timestamp.type')],
  ['message.timestamp.before.max.ms', one('log.message.timestamp.before.max.ms')],
  ['message.timestamp.after.max.ms', one('log.message.timestamp.after.max.ms')],
  ['local.retention.ms', one('log.local.retention.ms')],
  ['local.retention.bytes', one('log.local.retention.bytes')],
]);

/** Group configurations that no broker configuration stands behind. */
const ONLY_OF_GROUPS = new Set(['share.auto.offset.reset', 'share.isolation.level', 'share.renew.acknowledge.enable']);

/** The broker configuration behind one of a group, or null. */
export function groupSynonym(name: string): string | null {
  return ONLY_OF_GROUPS.has(name) ? null : `group.${name}`;
}

/** Broker configurations that say the same in different units; the first that is set wins. */
const FAMILIES: readonly (readonly string[])[] = [
  ['log.roll.ms', 'log.roll.hours'],
  ['log.roll.jitter.ms', 'log.roll.jitter.hours'],
  ['log.retention.ms', 'log.retention.minutes', 'log.retention.hours'],
];

const LISTENER_PREFIX = /^listener\.name\.[^.]*\.(.*)$/;

/** What may follow `listener.name.{name}.{mechanism}.`: these are set for each SASL mechanism. */
const PER_MECHANISM: readonly string[] = [
  'sasl.jaas.config',
  'sasl.login.callback.handler.class',
  'sasl.login.class',
  'sasl.server.callback.handler.class',
  'connections.max.reauth.ms',
];

/** The configuration that `listener.name.{name}.X` overrides for one listener, or null for any other name. */
export function withoutListenerPrefix(name: string): string | null {
  const match = LISTENER_PREFIX.exec(name);
  if (match === null) return null;
  const rest = match[1]!;
  return PER_MECHANISM.find((config) => rest.endsWith(config)) ?? rest;
}

/** The names under which a broker configuration may have been given, most important first, itself among them. */
export function brokerSynonyms(name: string): readonly string[] {
  if (name === 'log.flush.interval.ms') return [name, 'log.flush.scheduler.interval.ms'];
  const family = FAMILIES.find((names) => names.includes(name));
  if (family !== undefined) return family;
  const base = withoutListenerPrefix(name);
  return base === null ? [name] : [name, base];
}
