/**
 * What AlterConfigs and IncrementalAlterConfigs may ask for (KIP-133, KIP-226, KIP-339). Each function takes a whole
 * new set of overrides and throws InvalidConfigError with Kafka's words, whose `error` says how to answer.
 */

import type { BrokerConfig, Properties } from './broker-config.ts';
import type { ConfigValue, Definition, Definitions } from './definition.ts';
import { GROUP_RULES } from './group-rules.ts';
import { groupSynonym, withoutListenerPrefix } from './synonyms.ts';
import {
  brokerDefinitions,
  clientMetricsDefinitions,
  dynamicBrokerDefinitions,
  groupDefinitions,
  topicDefinitions,
} from './tables/index.ts';
import { topicValues } from './topic-config.ts';
import { ContradictionError, InvalidConfigError, readValue } from './value.ts';

/** New overrides of a resource; null where a client sent no value. */
export type Changes = ReadonlyMap<string, string | null>;

function withoutNulls(changes: Changes, kind: string): Properties {
  const nulls = [...changes].filter(([, value]) => value === null).map(([name]) => name);
  if (nulls.length > 0) {
    throw new InvalidConfigError(`Null value not supported for ${kind} configs: ${nulls.join(',')}`);
  }
  return changes as Properties;
}

/** Whether a configuration is a list, so that APPEND and SUBTRACT make sense. */
export function isListConfig(resource: 'topic' | 'broker', name: string): boolean {
  const definitions = resource === 'topic' ? topicDefinitions : brokerDefinitions;
  return definitions.get(name)?.type === 'list';
}

/** Checks what a topic is to override. */
export function checkTopicChanges(config: BrokerConfig, changes: Changes): void {
  const values = topicValues(config.topicDefaults(), withoutNulls(changes, 'topic'));
  const [minLag, maxLag] = [values.get('min.compaction.lag.ms'), values.get('max.compaction.lag.ms')] as [
    number,
    number,
  ];
  if (minLag > maxLag) {
    throw new InvalidConfigError(
      `conflict topic config setting min.compaction.lag.ms (${minLag}) > max.compaction.lag.ms (${maxLag})`,
    );
  }
  if (values.get('remote.storage.enable') === true) {
    throw new InvalidConfigError(
      'Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.',
    );
  }
}

function readAll(definitions: Definitions, given: Properties, unknown: (name: string) => InvalidConfigError) {
  const values = new Map<string, ConfigValue>();
  for (const name of given.keys()) if (!definitions.has(name)) throw unknown(name);
  for (const [name, raw] of given) values.set(name, readValue(definitions.get(name)!, raw));
  return values;
}

/** The broker's rules, with the group's own values in place of the broker's. */
function checkGroupRanges(config: BrokerConfig, own: ReadonlyMap<string, ConfigValue>): void {
  const brokerNames = new Map([...groupDefinitions.keys()].map((name) => [groupSynonym(name) ?? name, name]));
  const effective = (name: string) => (own.get(brokerNames.get(name) ?? '') ?? config.exact(name)) as number;
  const words = { 'at least': 'greater than or equal to', 'at most': 'less than or equal to' };
  for (const { name, is, bound } of GROUP_RULES) {
    const groupName = brokerNames.get(name);
    if (groupName === undefined) continue;
    const [value, limit] = [effective(name), effective(bound)];
    if (is === 'below') {
      if (value < limit) continue;
      throw new InvalidConfigError(`${brokerNames.get(bound)} must be greater than ${groupName}`);
    }
    if (is === 'at least' ? value >= limit : value <= limit) continue;
    throw new InvalidConfigError(`${groupName} must be ${words[is]} ${bound}`);
  }
}

/** Checks what a group is to override. */
export function checkGroupChanges(config: BrokerConfig, groupId: string, changes: Changes): void {
  if (groupId === '') throw new InvalidConfigError('Default group resources are not allowed.', 'INVALID_REQUEST');
  const given = withoutNulls(changes, 'group');
  const own = readAll(groupDefinitions, given, (name) => new InvalidConfigError(`Unknown group config name: ${name}`));
  checkGroupRanges(config, own);
}

const MATCH_PARAMETERS: readonly string[] = [
  'client_instance_id',
  'client_id',
  'client_software_name',
  'client_software_version',
  'client_source_address',
  'client_source_port',
];

function isMatchPattern(text: string): boolean {
  const [name, pattern, more] = text.split('=');
  if (pattern === undefined || pattern === '' || more !== undefined) return false;
  if (!MATCH_PARAMETERS.includes(name!.trim())) return false;
  try {
    new RegExp(pattern.trim());
    return true;
  } catch {
    return false;
  }
}

/** Checks a client-metrics subscription (KIP-714). */
export function checkClientMetricsChanges(subscription: string, changes: Changes): void {
  if (subscription === '') throw new InvalidConfigError("Subscription name can't be empty", 'INVALID_REQUEST');
  const given = withoutNulls(changes, 'client metrics');
  const unknown = (name: string) =>
    new InvalidConfigError(`Unknown client metrics configuration: ${name}`, 'INVALID_REQUEST');
  const values = readAll(clientMetricsDefinitions, given, unknown);
  const intervalMs = values.get('interval.ms') as number | undefined;
  if (intervalMs !== undefined && (intervalMs < 100 || intervalMs > 3_600_000)) {
    throw new InvalidConfigError(
      `Invalid value ${intervalMs} for interval.ms, interval must be between 100 and 3600000 (1 hour)`,
      'INVALID_REQUEST',
    );
  }
  const patterns = (values.get('match') ?? []) as readonly string[];
  const bad = patterns.find((pattern) => !isMatchPattern(pattern));
  if (bad !== undefined) throw new InvalidConfigError(`Illegal client matching pattern: ${bad}`);
}

/** Dynamic only with a listener's prefix, since a running listener must not lose its keys to a general change. */
const LISTENER_SECURITY = new Set([
  'ssl.key.password',
  'ssl.keystore.certificate.chain',
  'ssl.keystore.key',
  'ssl.keystore.location',
  'ssl.keystore.password',
  'ssl.keystore.type',
  'ssl.truststore.certificates',
  'ssl.truststore.location',
  'ssl.truststore.password',
  'ssl.truststore.type',
]);

/** With a listener's prefix these may still be set for the whole cluster. */
const CLUSTER_WIDE_PER_LISTENER = new Set(['max.connections', 'max.connection.creation.rate', 'num.network.threads']);

function isPerBroker(name: string): boolean {
  const base = withoutListenerPrefix(name);
  if (base !== null) return !CLUSTER_WIDE_PER_LISTENER.has(base);
  return dynamicBrokerDefinitions.get(name)?.update === 'per-broker';
}

export type DynamicScope = 'clusterWide' | 'perBroker';

function dynamicDefinition(name: string): Definition | undefined {
  return dynamicBrokerDefinitions.get(withoutListenerPrefix(name) ?? name);
}

/** What is wrong with setting these names at run time, or null. */
function namesProblem(names: readonly string[], scope: DynamicScope): string | null {
  const fixed = names.filter((name) => brokerDefinitions.get(name)?.update === 'read-only');
  if (fixed.length > 0) return `Cannot update these configs dynamically: [${fixed.join(', ')}]`;
  const security = names.filter((name) => LISTENER_SECURITY.has(name));
  if (security.length > 0) {
    return `These security configs can be dynamically updated only per-listener using the listener prefix: [${security.join(', ')}]`;
  }
  const perBroker = scope === 'clusterWide' ? names.filter(isPerBroker) : [];
  if (perBroker.length > 0) {
    return `Cannot update these configs at default cluster level, broker id must be specified: [${perBroker.join(', ')}]`;
  }
  return null;
}

function readDynamic(name: string, raw: string): void {
  const definition = dynamicDefinition(name);
  if (definition === undefined) return;
  readValue(definition, raw);
}

/** Classes come with Kafka or by its class path, which is empty here: those of others do not exist. */
const isKnownClass = (name: string): boolean => name.startsWith('org.apache.kafka.');

const UNKNOWN_REPORTERS =
  'Invalid value org.apache.kafka.common.config.ConfigException: Validation of dynamic config update of Set(metric.reporters) ' +
  'failed with class class kafka.server.DynamicMetricsReporters for configuration Invalid dynamic configuration';

function classProblem(properties: Properties): string | null {
  for (const [name, raw] of properties) {
    const base = withoutListenerPrefix(name) ?? name;
    if (dynamicDefinition(name)?.type === 'class' && !isKnownClass(raw.trim())) {
      return `Invalid value ${raw.trim()} for configuration ${base}: Class ${raw.trim()} could not be found.`;
    }
    if (base !== 'metric.reporters') continue;
    const reporters = raw.split(',').map((reporter) => reporter.trim());
    if (reporters.some((reporter) => reporter !== '' && !isKnownClass(reporter))) return UNKNOWN_REPORTERS;
  }
  return null;
}

/** A node may start without a listener for controllers; one that has it keeps it. */
function listenerProblem(before: BrokerConfig, after: BrokerConfig): string | null {
  if (before.listeners.controller.length === 0 || after.listeners.controller.length > 0) return null;
  return "requirement failed: controller.listener.names must contain at least one value appearing in the 'listeners' configuration when running the KRaft controller role";
}

/** Pools of threads in Kafka, which wants them to change gently. */
const POOLS = [
  'num.io.threads',
  'num.network.threads',
  'num.replica.fetchers',
  'num.recovery.threads.per.data.dir',
  'background.threads',
] as const;

function poolProblem(before: BrokerConfig, after: BrokerConfig): string | null {
  for (const name of POOLS) {
    const [old, wanted] = [before.get(name), after.get(name)];
    const prefix = `Dynamic thread count update validation failed for ${name}=${wanted}, value should`;
    if (wanted < old / 2) return `${prefix} be at least half the current value ${old}`;
    if (wanted > old * 2) return `${prefix} not be greater than double the current value ${old}`;
  }
  const [old, wanted] = [before.get('log.cleaner.threads'), after.get('log.cleaner.threads')];
  if (wanted < 1) return 'Log cleaner threads should be at least 1';
  if (wanted < old / 2) return `Log cleaner threads cannot be reduced to less than half the current value ${old}`;
  if (wanted > old * 2) return `Log cleaner threads cannot be increased to more than double the current value ${old}`;
  return null;
}

function localRetentionProblem(after: BrokerConfig): string | null {
  const checks = [
    ['log.local.retention.ms', 'log.retention.ms', after.topic().retentionMs],
    ['log.local.retention.bytes', 'log.retention.bytes', after.get('log.retention.bytes')],
  ] as const;
  for (const [name, wholeName, whole] of checks) {
    const local = after.get(name);
    if (whole < 0 || local === -2) continue;
    const prefix = `Invalid value ${local} for configuration ${name}: Value must not be`;
    if (local === -1) return `${prefix} -1 as ${wholeName} value is set as ${whole}.`;
    if (local > whole) return `${prefix} more than ${wholeName} property value: ${whole}`;
  }
  return null;
}

function asInvalidRequest(error: unknown): unknown {
  if (!(error instanceof InvalidConfigError)) return error;
  const prefix = error instanceof ContradictionError ? 'requirement failed: ' : '';
  return new InvalidConfigError(prefix + error.message, 'INVALID_REQUEST');
}

/**
 * Checks dynamic configurations of brokers: `properties` is all that is to be set in `scope` from now on. Returns the
 * snapshot that a broker with `config` would run under.
 */
export function checkBrokerChanges(config: BrokerConfig, scope: DynamicScope, properties: Properties): BrokerConfig {
  try {
    const problem = namesProblem([...properties.keys()], scope) ?? classProblem(properties);
    if (problem !== null) throw new InvalidConfigError(problem);
    for (const [name, raw] of properties) readDynamic(name, raw);
    const after = config.withDynamic({ ...config.dynamic, [scope]: properties });
    const unfit = listenerProblem(config, after) ?? poolProblem(config, after) ?? localRetentionProblem(after);
    if (unfit !== null) throw new InvalidConfigError(unfit);
    return after;
  } catch (error) {
    throw asInvalidRequest(error);
  }
}

/**
 * The dynamic configurations of a broker as the metadata log holds them, without those it cannot use: another release
 * may have written them. Each one left out is told to `onIgnored`, as Kafka logs it.
 */
export function usableBrokerProperties(
  scope: DynamicScope,
  properties: Properties,
  onIgnored: (name: string, reason: string) => void,
): Properties {
  const usable = new Map<string, string>();
  for (const [name, raw] of properties) {
    try {
      const problem = namesProblem([name], scope);
      if (problem !== null) throw new InvalidConfigError(problem);
      readDynamic(name, raw);
      usable.set(name, raw);
    } catch (error) {
      if (!(error instanceof InvalidConfigError)) throw error;
      onIgnored(name, error.message);
    }
  }
  return usable;
}
