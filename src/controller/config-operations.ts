/** The operations of IncrementalAlterConfigs on one value (KIP-339). */
import type { ConfigValue, Definitions } from '../config/definition.ts';
import { brokerDefinitions, topicDefinitions } from '../config/tables/index.ts';
import { formatValue } from '../config/value.ts';
import { ResourceType } from './image.ts';
import { Refused } from './plan.ts';

/** AlterConfigOp.OpType. */
export const Operation = { SET: 0, DELETE: 1, APPEND: 2, SUBTRACT: 3 } as const;

export interface ConfigChange {
  readonly name: string;
  readonly operation: number;
  readonly value: string | null;
}

/** Which configurations are lists, and what is said of one that is not. */
export interface Lists {
  readonly definitions: Definitions;
  notList(name: string, appends: boolean): Refused;
}

/** The broker that takes a change for itself looks first, and has its own words. */
export const BROKER_LISTS: Lists = {
  definitions: brokerDefinitions,
  notList(name, appends) {
    if (!brokerDefinitions.has(name)) return new Refused('INVALID_CONFIG', `Unknown config name: ${name}`);
    const word = appends ? 'append' : 'subtract';
    return new Refused('INVALID_CONFIG', `Config value ${word} is not allowed for config key: ${name}`);
  },
};

const NO_DEFINITIONS: Definitions = new Map();

/** Kafka's controller knows the lists of topics and brokers only. */
export function storedLists(resourceType: number): Lists {
  const { TOPIC, BROKER } = ResourceType;
  const definitions = new Map<number, Definitions>([
    [TOPIC, topicDefinitions],
    [BROKER, brokerDefinitions],
  ]);
  return {
    definitions: definitions.get(resourceType) ?? NO_DEFINITIONS,
    notList(name, appends) {
      const word = appends ? 'APPEND' : 'SUBTRACT';
      return new Refused('INVALID_CONFIG', `Can't ${word} to key ${name} because its type is not LIST.`);
    },
  };
}

/** The new value of a configuration that is now `current` (undefined: not overridden); null where the override goes away. */
export function applyOperation(change: ConfigChange, current: string | undefined, lists: Lists): string | null {
  const { name, operation, value } = change;
  if (operation === Operation.SET) return value;
  if (operation === Operation.DELETE) return null;
  const appends = operation === Operation.APPEND;
  const definition = lists.definitions.get(name);
  if (definition?.type !== 'list') throw lists.notList(name, appends);
  const before = parts(current ?? formatValue('list', definition.defaultValue as ConfigValue) ?? '');
  const given = (value ?? '').split(',');
  if (!appends) return before.filter((part) => !given.includes(part)).join(',');
  return [...before, ...given.filter((part) => !before.includes(part))].join(',');
}

const parts = (text: string): string[] => text.split(',').filter((part) => part !== '');
