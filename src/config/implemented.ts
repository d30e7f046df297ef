/**
 * What odradek makes of each broker configuration. A name in neither list is one that Kafka has and odradek does not
 * implement yet; start-up says so when it is set (DESIGN decision 8). When a part of the broker begins to use a
 * configuration, its name moves here.
 */

import type { BrokerConfig } from './broker-config.ts';
import type { BrokerConfigName } from './tables/index.ts';

const IMPLEMENTED: ReadonlySet<BrokerConfigName> = new Set<BrokerConfigName>([
  // the node
  'node.id',
  'broker.id',
  'broker.rack',
  'process.roles',
  'controller.listener.names',
  'controller.quorum.voters',
  'controller.quorum.bootstrap.servers',
  'metadata.log.dir',
  'metadata.log.segment.bytes',
  'metadata.log.segment.ms',
  'internal.metadata.log.segment.bytes',
  'metadata.log.max.record.bytes.between.snapshots',
  'metadata.log.max.snapshot.interval.ms',
  'metadata.max.retention.bytes',
  'metadata.max.retention.ms',
  // network
  'listeners',
  'advertised.listeners',
  'listener.security.protocol.map',
  'inter.broker.listener.name',
  'security.inter.broker.protocol',
  'socket.request.max.bytes',
  'socket.listen.backlog.size',
  'max.connections',
  'max.connections.per.ip',
  'max.connections.per.ip.overrides',
  'connections.max.idle.ms',
  'fetch.max.bytes',
  'max.incremental.fetch.session.cache.slots',
  'max.request.partition.size.limit',
  // topics and the log
  'log.dir',
  'log.dirs',
  'num.recovery.threads.per.data.dir',
  'num.partitions',
  'default.replication.factor',
  'auto.create.topics.enable',
  'delete.topic.enable',
  'min.insync.replicas',
  'message.max.bytes',
  'compression.type',
  'compression.gzip.level',
  'compression.lz4.level',
  'compression.zstd.level',
  'log.segment.bytes',
  'log.roll.ms',
  'log.roll.hours',
  'log.roll.jitter.ms',
  'log.roll.jitter.hours',
  'log.retention.bytes',
  'log.retention.ms',
  'log.retention.minutes',
  'log.retention.hours',
  'log.retention.check.interval.ms',
  'log.segment.delete.delay.ms',
  'log.cleanup.policy',
  'log.cleaner.enable',
  'log.cleaner.threads',
  'log.cleaner.backoff.ms',
  'log.cleaner.dedupe.buffer.size',
  'log.cleaner.io.buffer.size',
  'log.cleaner.io.buffer.load.factor',
  'log.cleaner.io.max.bytes.per.second',
  'log.cleaner.min.cleanable.ratio',
  'log.cleaner.min.compaction.lag.ms',
  'log.cleaner.max.compaction.lag.ms',
  'log.cleaner.delete.retention.ms',
  'log.index.size.max.bytes',
  'log.index.interval.bytes',
  'log.flush.interval.messages',
  'log.flush.interval.ms',
  'log.flush.scheduler.interval.ms',
  'log.flush.offset.checkpoint.interval.ms',
  'log.flush.start.offset.checkpoint.interval.ms',
  'log.message.timestamp.type',
  'log.message.timestamp.before.max.ms',
  'log.message.timestamp.after.max.ms',
  'producer.id.expiration.ms',
  'producer.id.expiration.check.interval.ms',
  // transactions
  'transaction.state.log.num.partitions',
  'transaction.state.log.replication.factor',
  'transaction.state.log.min.isr',
  'transaction.state.log.segment.bytes',
  'transaction.partition.verification.enable',
  'transactional.id.expiration.ms',
  'transaction.max.timeout.ms',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms',
  'transaction.remove.expired.transaction.cleanup.interval.ms',
  'add.partitions.to.txn.retry.backoff.max.ms',
  'add.partitions.to.txn.retry.backoff.ms',
  // groups
  'offsets.topic.num.partitions',
  'offsets.topic.replication.factor',
  'offsets.topic.segment.bytes',
  'offsets.topic.compression.codec',
  'offsets.retention.minutes',
  'offsets.retention.check.interval.ms',
  'offset.metadata.max.bytes',
  'group.initial.rebalance.delay.ms',
  'group.min.session.timeout.ms',
  'group.max.session.timeout.ms',
  'group.max.size',
  'group.consumer.session.timeout.ms',
  'group.consumer.min.session.timeout.ms',
  'group.consumer.max.session.timeout.ms',
  'group.consumer.heartbeat.interval.ms',
  'group.consumer.min.heartbeat.interval.ms',
  'group.consumer.max.heartbeat.interval.ms',
  'group.consumer.max.size',
  'group.consumer.assignors',
  'group.consumer.migration.policy',
  'group.consumer.assignment.interval.ms',
  'group.consumer.min.assignment.interval.ms',
  'group.consumer.max.assignment.interval.ms',
  'group.consumer.regex.refresh.interval.ms',
  // share groups
  'group.share.session.timeout.ms',
  'group.share.min.session.timeout.ms',
  'group.share.max.session.timeout.ms',
  'group.share.heartbeat.interval.ms',
  'group.share.min.heartbeat.interval.ms',
  'group.share.max.heartbeat.interval.ms',
  'group.share.max.size',
  'group.share.assignment.interval.ms',
  'group.share.min.assignment.interval.ms',
  'group.share.max.assignment.interval.ms',
  'group.share.initialize.retry.interval.ms',
  'group.share.delivery.count.limit',
  'group.share.min.delivery.count.limit',
  'group.share.max.delivery.count.limit',
  'group.share.record.lock.duration.ms',
  'group.share.min.record.lock.duration.ms',
  'group.share.max.record.lock.duration.ms',
  'group.share.partition.max.record.locks',
  'group.share.min.partition.max.record.locks',
  'group.share.max.partition.max.record.locks',
  'group.share.max.share.sessions',
  'share.coordinator.state.topic.num.partitions',
  'share.coordinator.state.topic.replication.factor',
  'share.coordinator.state.topic.min.isr',
  'share.coordinator.state.topic.segment.bytes',
  'share.coordinator.state.topic.prune.interval.ms',
  'share.coordinator.cold.partition.snapshot.interval.ms',
  'share.coordinator.snapshot.update.records.per.snapshot',
  'share.coordinator.write.timeout.ms',
  'group.streams.session.timeout.ms',
  'group.streams.min.session.timeout.ms',
  'group.streams.max.session.timeout.ms',
  'group.streams.heartbeat.interval.ms',
  'group.streams.min.heartbeat.interval.ms',
  'group.streams.max.heartbeat.interval.ms',
  'group.streams.max.size',
  'group.streams.num.standby.replicas',
  'group.streams.max.standby.replicas',
  'group.streams.initial.rebalance.delay.ms',
  'group.streams.assignment.interval.ms',
  'group.streams.min.assignment.interval.ms',
  'group.streams.max.assignment.interval.ms',
]);

/**
 * Configurations of things that odradek has no use for: pools of threads, purgatories, sizes of buffers that Node
 * manages, Java classes that report metrics. Setting them changes nothing and harms nothing.
 */
const WITHOUT_EFFECT: ReadonlySet<BrokerConfigName> = new Set<BrokerConfigName>([
  'num.io.threads',
  'num.network.threads',
  'num.recovery.threads.per.data.dir',
  'num.replica.alter.log.dirs.threads',
  'background.threads',
  'group.coordinator.threads',
  'group.coordinator.background.threads',
  'share.coordinator.threads',
  'queued.max.requests',
  'queued.max.request.bytes',
  'socket.send.buffer.bytes',
  'socket.receive.buffer.bytes',
  'fetch.purgatory.purge.interval.requests',
  'producer.purgatory.purge.interval.requests',
  'delete.records.purgatory.purge.interval.requests',
  'share.fetch.purgatory.purge.interval.requests',
  'group.coordinator.append.linger.ms',
  'group.coordinator.cached.buffer.max.bytes',
  'offsets.commit.timeout.ms',
  'offsets.load.buffer.size',
  'transaction.state.log.load.buffer.size',
  'share.coordinator.append.linger.ms',
  'share.coordinator.cached.buffer.max.bytes',
  'share.coordinator.load.buffer.size',
  'metric.reporters',
  'metrics.num.samples',
  'metrics.recording.level',
  'metrics.sample.window.ms',
  'kafka.metrics.reporters',
  'kafka.metrics.polling.interval.secs',
  'initial.broker.registration.timeout.ms',
  'controller.socket.timeout.ms',
]);

export type Support = 'implemented' | 'without effect' | 'not implemented';

const REBALANCE_PROTOCOLS: BrokerConfigName = 'group.coordinator.rebalance.protocols';
/** The protocols of groups that are served: who asks for some of them gets just those. */
const SERVED_PROTOCOLS: readonly string[] = ['classic', 'consumer', 'share', 'streams'];

/** What becomes of a configuration that was set to this value. */
export function supportOf(name: string, value: string): Support {
  if (name === REBALANCE_PROTOCOLS && value.split(',').every((one) => SERVED_PROTOCOLS.includes(one.trim())))
    return 'implemented';
  if (IMPLEMENTED.has(name as BrokerConfigName)) return 'implemented';
  return WITHOUT_EFFECT.has(name as BrokerConfigName) ? 'without effect' : 'not implemented';
}

/** The assignors of consumer groups that there are: their names, by these and by the names of Kafka's own classes. */
export const CONSUMER_ASSIGNORS: ReadonlyMap<string, string> = new Map([
  ['uniform', 'uniform'],
  ['range', 'range'],
  ['org.apache.kafka.coordinator.group.assignor.UniformAssignor', 'uniform'],
  ['org.apache.kafka.coordinator.group.assignor.RangeAssignor', 'range'],
]);

/** Plug-ins that guard a cluster or change what it does: to run without them would be wrong in silence. */
const PLUG_INS = [
  'authorizer.class.name',
  'create.topic.policy.class.name',
  'alter.config.policy.class.name',
  'client.quota.callback.class',
] as const;

/** What a configuration asks for that must not be ignored, as one clear line; null where there is nothing such. */
export function refusal(config: BrokerConfig): string | null {
  const { broker, controller } = config.listeners;
  const secured = [...broker, ...controller].find(({ securityProtocol }) => securityProtocol !== 'PLAINTEXT');
  if (secured !== undefined) {
    return `Listener ${secured.name} asks for ${secured.securityProtocol}, which odradek does not implement yet; only PLAINTEXT is.`;
  }
  const plugIn = PLUG_INS.find((name) => config.get(name));
  if (plugIn !== undefined) return `${plugIn} names a Java class; odradek cannot run it and would not do without it.`;
  const assignor = config.get('group.consumer.assignors').find((name) => !CONSUMER_ASSIGNORS.has(name));
  if (assignor !== undefined) return `group.consumer.assignors names ${assignor}, which odradek does not have.`;
  if (config.get('remote.log.storage.system.enable')) {
    return 'remote.log.storage.system.enable asks for tiered storage, which odradek does not implement.';
  }
  if (!config.isSoleController() || !config.isBroker()) {
    return 'odradek runs as one node that is broker and controller so far: process.roles must be broker,controller and controller.quorum.voters no other node.';
  }
  return null;
}
