/**
 * What DescribeConfigs answers (KIP-133, KIP-226, KIP-524): each configuration with its value, where the value comes
 * from, and every place that gives one, the most important first.
 */

import type { BrokerConfig, Properties } from './broker-config.ts';
import type { ConfigType, ConfigValue, Definition, Definitions } from './definition.ts';
import { documentation } from './documentation.ts';
import { brokerSynonyms, groupSynonym, topicSynonyms, withoutListenerPrefix } from './synonyms.ts';
import {
  brokerDefinitions,
  clientMetricsDefinitions,
  dynamicBrokerDefinitions,
  groupDefinitions,
  topicDefinitions,
} from './tables/index.ts';
import { type Overrides, topicValues } from './topic-config.ts';
import { formatValue, readValue } from './value.ts';

/** ConfigSource of the wire. */
export const ConfigSource = {
  DYNAMIC_TOPIC_CONFIG: 1,
  DYNAMIC_BROKER_CONFIG: 2,
  DYNAMIC_DEFAULT_BROKER_CONFIG: 3,
  STATIC_BROKER_CONFIG: 4,
  DEFAULT_CONFIG: 5,
  DYNAMIC_BROKER_LOGGER_CONFIG: 6,
  CLIENT_METRICS_CONFIG: 7,
  GROUP_CONFIG: 8,
} as const;
export type ConfigSource = (typeof ConfigSource)[keyof typeof ConfigSource];

/** ConfigType of the wire; 0 where the type is not known. */
const TYPE_IDS: Record<ConfigType, number> = {
  boolean: 1,
  string: 2,
  int: 3,
  short: 4,
  long: 5,
  double: 6,
  list: 7,
  class: 8,
  password: 9,
};

interface ConfigSynonym {
  readonly name: string;
  readonly value: string | null;
  readonly source: ConfigSource;
}

/** One configuration of a resource. The value of a sensitive one is null. */
export interface ConfigEntry {
  readonly name: string;
  readonly value: string | null;
  readonly source: ConfigSource;
  readonly readOnly: boolean;
  readonly sensitive: boolean;
  readonly type: number;
  readonly documentation: string | null;
  readonly synonyms: readonly ConfigSynonym[];
}

/** A configuration whose type is unknown might be a secret. */
function isSensitive(definition: Definition | undefined): boolean {
  return definition === undefined || definition.type === 'password';
}

/** The definition of a broker configuration, also of `listener.name.{name}.X`; undefined for an unknown name. */
function brokerDefinition(name: string): Definition | undefined {
  const base = withoutListenerPrefix(name) ?? name;
  return (
    brokerDefinitions.get(name) ??
    dynamicBrokerDefinitions.get(name) ??
    brokerDefinitions.get(base) ??
    dynamicBrokerDefinitions.get(base)
  );
}

function defaultText(name: string): string | null {
  const definition = brokerDefinitions.get(name);
  if (definition === undefined || typeof definition.defaultValue === 'symbol') return null;
  return formatValue(definition.type, definition.defaultValue);
}

/** Every place that gives a value to `name` or its synonyms; those before the first for `name` itself are not told. */
function placesOf(config: BrokerConfig, name: string, sensitive: boolean): ConfigSynonym[] {
  const synonyms = brokerSynonyms(name);
  const places: ConfigSynonym[] = [];
  const add = (from: Properties, source: ConfigSource) => {
    for (const synonym of synonyms) {
      const value = from.get(synonym);
      if (value !== undefined) places.push({ name: synonym, value: sensitive ? null : value, source });
    }
  };
  add(config.dynamic.perBroker, ConfigSource.DYNAMIC_BROKER_CONFIG);
  add(config.dynamic.clusterWide, ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG);
  add(config.staticProperties, ConfigSource.STATIC_BROKER_CONFIG);
  for (const synonym of synonyms) {
    const value = defaultText(synonym);
    if (value !== null) {
      places.push({ name: synonym, value: sensitive ? null : value, source: ConfigSource.DEFAULT_CONFIG });
    }
  }
  const first = places.findIndex((place) => place.name === name);
  return first < 0 ? [] : places.slice(first);
}

interface EntryParts {
  readonly name: string;
  readonly definition: Definition | undefined;
  readonly value: string | null;
  readonly synonyms: readonly ConfigSynonym[];
  readonly readOnly: boolean;
}

function entry({ name, definition, value, synonyms, readOnly }: EntryParts): ConfigEntry {
  const sensitive = isSensitive(definition);
  return {
    name,
    value: sensitive ? null : value,
    source: synonyms[0]?.source ?? ConfigSource.DEFAULT_CONFIG,
    readOnly,
    sensitive,
    type: definition === undefined ? 0 : TYPE_IDS[definition.type],
    documentation: documentation.get(name) ?? null,
    synonyms,
  };
}

function brokerEntry(config: BrokerConfig, name: string): ConfigEntry {
  const definition = brokerDefinition(name);
  const parsed = config.exact(name);
  const value =
    parsed === undefined || definition === undefined
      ? (config.properties.get(name) ?? null)
      : formatValue(definition.type, parsed);
  const synonyms = placesOf(config, name, isSensitive(definition));
  return entry({ name, definition, value, synonyms, readOnly: !dynamicBrokerDefinitions.has(name) });
}

/** All of one broker: what Kafka defines, and what else it has been given. Internal ones show only when set. */
export function describeBroker(config: BrokerConfig): ConfigEntry[] {
  const names = new Set(config.properties.keys());
  for (const definition of brokerDefinitions.values()) if (!definition.internal) names.add(definition.name);
  return [...names].map((name) => brokerEntry(config, name));
}

/** What has been set for all brokers of the cluster: the BROKER resource with the empty name. */
export function describeClusterWide(config: BrokerConfig): ConfigEntry[] {
  return [...config.dynamic.clusterWide].map(([name, value]) => {
    const definition = brokerDefinition(name);
    const synonyms = placesOf(config, name, isSensitive(definition)).filter(
      ({ source }) => source === ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG,
    );
    return entry({ name, definition, value, synonyms, readOnly: !dynamicBrokerDefinitions.has(name) });
  });
}

function visible(definitions: Definitions, overrides: Overrides): Definition[] {
  return [...definitions.values()].filter(({ internal, name }) => !internal || overrides.has(name));
}

/** All of one topic, under its own names, with the broker's configurations behind them as synonyms. */
export function describeTopic(config: BrokerConfig, overrides: Overrides): ConfigEntry[] {
  const values = topicValues(config.topicDefaults(), overrides);
  return visible(topicDefinitions, overrides).map((definition) => {
    const { name, type } = definition;
    const value = formatValue(type, values.get(name) ?? null);
    const behind = topicSynonyms.get(name)?.[0];
    const synonyms = behind === undefined ? [] : placesOf(config, behind.name, false);
    if (overrides.has(name)) synonyms.unshift({ name, value, source: ConfigSource.DYNAMIC_TOPIC_CONFIG });
    return entry({ name, definition, value, synonyms, readOnly: false });
  });
}

function defaultOfGroup(config: BrokerConfig, definition: Definition): ConfigValue {
  const behind = groupSynonym(definition.name);
  const value = behind === null ? undefined : config.exact(behind);
  return value ?? (definition.defaultValue as ConfigValue);
}

/** All of one group (KIP-848, KIP-932, KIP-1071). */
export function describeGroup(config: BrokerConfig, overrides: Overrides): ConfigEntry[] {
  return visible(groupDefinitions, overrides).map((definition) => {
    const { name, type } = definition;
    const given = overrides.get(name);
    const value = formatValue(
      type,
      given === undefined ? defaultOfGroup(config, definition) : readValue(definition, given),
    );
    const behind = groupSynonym(name);
    const synonyms: ConfigSynonym[] =
      behind === null
        ? [
            {
              name,
              value: formatValue(type, definition.defaultValue as ConfigValue),
              source: ConfigSource.DEFAULT_CONFIG,
            },
          ]
        : placesOf(config, behind, false);
    if (given !== undefined) synonyms.unshift({ name, value, source: ConfigSource.GROUP_CONFIG });
    return entry({ name, definition, value, synonyms, readOnly: false });
  });
}

/** All of one client-metrics subscription (KIP-714). */
export function describeClientMetrics(overrides: Overrides): ConfigEntry[] {
  return visible(clientMetricsDefinitions, overrides).map((definition) => {
    const { name, type } = definition;
    const given = overrides.get(name);
    const value = formatValue(
      type,
      given === undefined ? (definition.defaultValue as ConfigValue) : readValue(definition, given),
    );
    const synonyms = given === undefined ? [] : [{ name, value, source: ConfigSource.CLIENT_METRICS_CONFIG }];
    return entry({ name, definition, value, synonyms, readOnly: false });
  });
}
