/** The configuration under which one group runs (KIP-848, KIP-932, KIP-1071): its own overrides over the broker's settings. */

import type { BrokerConfig } from './broker-config.ts';
import type { ConfigValue } from './definition.ts';
import { GROUP_RULES } from './group-rules.ts';
import { groupSynonym } from './synonyms.ts';
import { type GroupConfigName, type GroupConfigValue, groupDefinitions } from './tables/index.ts';
import type { Overrides } from './topic-config.ts';
import { readValue } from './value.ts';

/** ConfigResource.Type.GROUP, on the wire and in records. */
const GROUP_RESOURCE = 32;

/** Where overrides are found: the metadata image, narrowed. */
export interface ConfiguredGroups {
  configs(resourceType: number, name: string): Overrides;
}

/** One group's configuration at one moment: cheap to make, and a value is read only when it is asked for. */
export class GroupConfig {
  readonly #overrides: Overrides;
  readonly #broker: BrokerConfig;

  constructor(overrides: Overrides, broker: BrokerConfig) {
    this.#overrides = overrides;
    this.#broker = broker;
  }

  /**
   * The value of the group, which the broker’s bounds cap (they may have changed since);
   * else that of the broker. Throws InvalidConfigError where the metadata holds what no value of this type is.
   */
  get<N extends GroupConfigName>(name: N): GroupConfigValue<N> {
    return this.#read(name) as GroupConfigValue<N>;
  }

  #read(name: GroupConfigName): ConfigValue {
    const definition = groupDefinitions.get(name)!;
    const given = this.#overrides.get(name);
    const behind = groupSynonym(name);
    if (given !== undefined) return capped(this.#broker, behind, readValue(definition, given));
    const ofBroker = behind === null ? undefined : this.#broker.exact(behind);
    return ofBroker ?? (definition.defaultValue as ConfigValue);
  }
}

/** The configuration of a group, whether it has overrides or not. */
export function groupConfig(image: ConfiguredGroups, broker: BrokerConfig, groupId: string): GroupConfig {
  return new GroupConfig(image.configs(GROUP_RESOURCE, groupId), broker);
}

function capped(broker: BrokerConfig, brokerName: string | null, value: ConfigValue): ConfigValue {
  if (typeof value !== 'number') return value;
  let within = value;
  for (const { name, is, bound } of GROUP_RULES) {
    if (name !== brokerName) continue;
    const limit = broker.get(bound);
    if (is === 'at least') within = Math.max(within, limit);
    else if (is === 'at most') within = Math.min(within, limit);
  }
  return within;
}
