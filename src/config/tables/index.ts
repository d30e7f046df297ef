import { type Definition, indexByName, type NameIn, type ValueIn } from '../definition.ts';
import { groupCoordinatorConfigs } from './broker-groups.ts';
import { logConfigs } from './broker-log.ts';
import { networkConfigs } from './broker-network.ts';
import { nodeConfigs } from './broker-node.ts';
import { quotaAndMetricsConfigs } from './broker-quotas.ts';
import { remoteLogConfigs } from './broker-remote-log.ts';
import { replicationConfigs } from './broker-replication.ts';
import { securityConfigs } from './broker-security.ts';
import { transactionConfigs } from './broker-transactions.ts';
import { clientMetricsTable } from './client-metrics.ts';
import { groupTable } from './group.ts';
import { brokerThrottleTable } from './quota.ts';
import { topicTable } from './topic.ts';

/** Every broker configuration that Apache Kafka 4.3.1 defines. */
const brokerTable = [
  ...nodeConfigs,
  ...networkConfigs,
  ...logConfigs,
  ...replicationConfigs,
  ...groupCoordinatorConfigs,
  ...transactionConfigs,
  ...securityConfigs,
  ...quotaAndMetricsConfigs,
  ...remoteLogConfigs,
];

export type BrokerConfigName = NameIn<typeof brokerTable>;
export type BrokerConfigValue<N extends BrokerConfigName> = ValueIn<typeof brokerTable, N>;
export type BrokerThrottleName = NameIn<typeof brokerThrottleTable>;
export type TopicConfigName = NameIn<typeof topicTable>;
export type TopicConfigValue<N extends TopicConfigName> = ValueIn<typeof topicTable, N>;
export type GroupConfigName = NameIn<typeof groupTable>;
export type GroupConfigValue<N extends GroupConfigName> = ValueIn<typeof groupTable, N>;

export const brokerDefinitions = indexByName(brokerTable);
export const topicDefinitions = indexByName(topicTable);
export const groupDefinitions = indexByName(groupTable);
export const clientMetricsDefinitions = indexByName(clientMetricsTable);

/** What may change while a broker runs (KIP-226): its dynamic configurations and the throttles that are only dynamic. */
export const dynamicBrokerDefinitions: ReadonlyMap<string, Definition> = indexByName([
  ...brokerTable.filter((definition) => definition.update !== 'read-only'),
  ...brokerThrottleTable,
]);
