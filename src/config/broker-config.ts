/**
 * BrokerConfig: what a broker runs under, as one immutable snapshot. A dynamic change makes a new one (`withDynamic`).
 * Values are read by Kafka's names; the compiler knows the type behind each.
 */

import { checkConsistency } from './consistency.ts';
import { type ConfigValue, REQUIRED } from './definition.ts';
import { type Listeners, parseListeners } from './listeners.ts';
import { brokerSynonyms, topicSynonyms } from './synonyms.ts';
import {
  type BrokerConfigName,
  type BrokerConfigValue,
  type BrokerThrottleName,
  brokerDefinitions,
  topicDefinitions,
} from './tables/index.ts';
import { type Overrides, type TopicConfig, topicConfigOf, topicValues } from './topic-config.ts';
import { InvalidConfigError, readValue } from './value.ts';

/** Names to values as they were written. */
export type Properties = ReadonlyMap<string, string>;

/** The dynamic configurations (KIP-226): of every broker, and of this one, which come first. */
export interface DynamicProperties {
  readonly clusterWide: Properties;
  readonly perBroker: Properties;
}

const NO_PROPERTIES: Properties = new Map();

/** Kafka takes broker.id and node.id for one another. */
function withNodeId(given: Properties): Properties {
  const nodeId = given.get('node.id');
  const brokerId = given.get('broker.id');
  if (nodeId === undefined && brokerId !== undefined) return new Map([...given, ['node.id', brokerId]]);
  if (nodeId !== undefined && brokerId === undefined) return new Map([...given, ['broker.id', nodeId]]);
  return given;
}

/** A dynamic value also replaces its synonyms: log.retention.ms set at run time silences log.retention.hours. */
function overlay(base: Map<string, string>, changes: Properties): void {
  for (const [name, value] of changes) {
    if (!name.startsWith('listener.name.')) for (const synonym of brokerSynonyms(name)) base.delete(synonym);
    base.set(name, value);
  }
}

function readAll(given: Properties): ReadonlyMap<string, ConfigValue> {
  const values = new Map<string, ConfigValue>();
  for (const definition of brokerDefinitions.values()) {
    const raw = given.get(definition.name);
    if (raw !== undefined) {
      values.set(definition.name, readValue(definition, raw));
    } else if (definition.defaultValue === REQUIRED) {
      throw new InvalidConfigError(`Missing required configuration "${definition.name}" which has no default value.`);
    } else {
      values.set(definition.name, definition.defaultValue);
    }
  }
  return values;
}

export class BrokerConfig {
  /** What the node was started with. */
  readonly staticProperties: Properties;
  readonly dynamic: DynamicProperties;
  /** Static and dynamic properties in one, unknown names included. */
  readonly properties: Properties;
  readonly listeners: Listeners;
  readonly #values: ReadonlyMap<string, ConfigValue>;
  #topicDefaults: ReadonlyMap<string, ConfigValue> | null = null;
  #plainTopic: TopicConfig | null = null;

  /** Throws InvalidConfigError where a value is wrong, one is missing, or two contradict each other. */
  constructor(
    given: Properties,
    dynamic: DynamicProperties = { clusterWide: NO_PROPERTIES, perBroker: NO_PROPERTIES },
  ) {
    const effective = new Map(withNodeId(given));
    this.staticProperties = new Map(effective);
    overlay(effective, dynamic.clusterWide);
    overlay(effective, dynamic.perBroker);
    this.dynamic = dynamic;
    this.properties = effective;
    this.#values = readAll(effective);
    this.listeners = this.#readListeners();
    checkConsistency(this);
  }

  /** A value by Kafka's name; a long beyond 2^53 comes as the nearest number. */
  get<N extends BrokerConfigName>(name: N): BrokerConfigValue<N> {
    const value = this.#values.get(name);
    return (typeof value === 'bigint' ? Number(value) : value) as BrokerConfigValue<N>;
  }

  /** A throttle that exists only as a dynamic configuration, in bytes a second; Infinity where none is set. */
  throttle(name: BrokerThrottleName): number {
    return Number(this.properties.get(name) ?? Infinity);
  }

  /** The same value unrounded, also for a name known only at run time; undefined for an unknown one. */
  exact(name: string): ConfigValue | undefined {
    return this.#values.get(name);
  }

  isBroker(): boolean {
    return this.get('process.roles').includes('broker');
  }

  isController(): boolean {
    return this.get('process.roles').includes('controller');
  }

  /**
   * Whether this node alone is the metadata quorum, as far as the configuration tells: no voter but itself, and no more
   * than one address to find the quorum by (KIP-853 lists a single node under its own address).
   */
  isSoleController(): boolean {
    const self = `${this.get('node.id')}@`;
    const voters = this.get('controller.quorum.voters');
    if (!this.isController() || !voters.every((voter) => voter.startsWith(self))) return false;
    return this.get('controller.quorum.bootstrap.servers').length <= 1;
  }

  logDirs(): readonly string[] {
    return this.get('log.dirs') ?? this.get('log.dir');
  }

  metadataLogDir(): string {
    return this.get('metadata.log.dir') ?? this.logDirs()[0]!;
  }

  /** The configuration of a topic with these overrides; throws InvalidConfigError for ones that cannot be. */
  topic(overrides: Overrides = NO_PROPERTIES): TopicConfig {
    if (overrides.size > 0) return topicConfigOf(topicValues(this.topicDefaults(), overrides));
    this.#plainTopic ??= topicConfigOf(this.topicDefaults());
    return this.#plainTopic;
  }

  /** What every topic configuration is where a topic does not say otherwise. */
  topicDefaults(): ReadonlyMap<string, ConfigValue> {
    if (this.#topicDefaults === null) {
      const defaults = new Map<string, ConfigValue>();
      for (const name of topicDefinitions.keys()) defaults.set(name, this.#topicDefault(name));
      this.#topicDefaults = defaults;
    }
    return this.#topicDefaults;
  }

  /** The snapshot after a dynamic change; static properties stay as they are. */
  withDynamic(dynamic: DynamicProperties): BrokerConfig {
    return new BrokerConfig(this.staticProperties, dynamic);
  }

  #topicDefault(name: string): ConfigValue {
    for (const synonym of topicSynonyms.get(name) ?? []) {
      const value = this.#values.get(synonym.name) ?? null;
      if (value === null) continue;
      if (typeof value !== 'number') return value;
      // Any negative time to keep records means: without limit.
      if (name === 'retention.ms' && value < 0) return -1;
      return value * synonym.factor;
    }
    return topicDefinitions.get(name)!.defaultValue as ConfigValue;
  }

  #readListeners(): Listeners {
    const wasGiven = (name: string) => this.properties.has(name);
    return parseListeners({
      listeners: this.get('listeners'),
      advertisedListeners: this.get('advertised.listeners'),
      protocolMap: wasGiven('listener.security.protocol.map') ? this.get('listener.security.protocol.map') : null,
      controllerListenerNames: this.get('controller.listener.names'),
      interBrokerListenerName: this.get('inter.broker.listener.name'),
      interBrokerSecurityProtocol: wasGiven('security.inter.broker.protocol')
        ? this.get('security.inter.broker.protocol')
        : null,
    });
  }
}
