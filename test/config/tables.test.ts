import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type ConfigValue, type Definition, indexByName, REQUIRED } from '../../src/config/definition.ts';
import { documentation } from '../../src/config/documentation.ts';
import {
  brokerDefinitions,
  clientMetricsDefinitions,
  groupDefinitions,
  topicDefinitions,
} from '../../src/config/tables/index.ts';
import { brokerThrottleTable, clientQuotaTable, ipQuotaTable } from '../../src/config/tables/quota.ts';
import { formatValue } from '../../src/config/value.ts';

const facts = readFileSync(new URL('./facts/configs.tsv', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .slice(1);

function defaultText({ type, defaultValue }: Definition): string {
  return defaultValue === REQUIRED ? '<none>' : (formatValue(type, defaultValue as ConfigValue) ?? '<null>');
}

/** How Kafka prints the rules that odradek keeps as functions. */
const CHECKS: Record<string, string> = {
  gzipLevel: '[1,...,9] or -1',
  quorumVoters: 'non-empty list',
  hostPorts: 'non-empty list',
  throttledReplicas: '[partitionId]:[brokerId],[partitionId]:[brokerId],...',
  shareOffsetReset: '[latest, earliest, by_duration:PnDTnHnMn.nS]',
};

function validatorText({ type, name, constraints }: Definition): string {
  const { atLeast, atMost, oneOf, ignoreCase, nonEmpty, check } = constraints;
  if (check !== undefined) return CHECKS[check.name] ?? check.name;
  if (atLeast !== undefined) return atMost === undefined ? `[${atLeast},...]` : `[${atLeast},...,${atMost}]`;
  if (oneOf !== undefined) return `${ignoreCase ? '(case insensitive) ' : ''}[${oneOf.join(', ')}]`;
  if (type === 'string' && nonEmpty) return 'non-empty string';
  return name === 'authorizer.class.name' ? 'non-null string' : '';
}

test.each([
  ['broker', brokerDefinitions],
  ['topic', topicDefinitions],
  ['group', groupDefinitions],
  ['client-metrics', clientMetricsDefinitions],
  ['quota-broker', indexByName(brokerThrottleTable)],
  ['quota-user', indexByName(clientQuotaTable)],
  ['quota-ip', indexByName(ipQuotaTable)],
])('the %s table is that of Kafka 4.3.1', (kind, definitions) => {
  const theirs = facts.filter((row) => row.startsWith(`${kind}\t`)).sort();
  const ours = [...definitions.values()].map((definition) => {
    const { name, type, importance, internal, update } = definition;
    // Kafka's table of the throttles does not say that they are dynamic.
    const mode = kind === 'quota-broker' ? 'read-only' : update;
    const cells = [kind, name, type.toUpperCase(), defaultText(definition), importance.toUpperCase(), internal, mode];
    return [...cells, validatorText(definition)].join('\t');
  });
  expect(ours.sort()).toEqual(theirs);
});

test.each([
  ['topics', topicDefinitions],
  ['groups', groupDefinitions],
  ['client metrics', clientMetricsDefinitions],
] as const)('every configuration of %s has a documentation', (_of, definitions) => {
  expect([...definitions.keys()].filter((name) => !documentation.has(name))).toEqual([]);
});
