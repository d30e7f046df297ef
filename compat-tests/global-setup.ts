import type { TestProject } from 'vitest/node';
import { type BrokerName, brokerNames, type OwnBroker, startBroker } from './brokers.ts';
import type { SharedBroker } from './describe-brokers.ts';
import { eventually, times } from './helpers.ts';
import { kafkajs } from './kafkajs/client.ts';
import { oracleAvailable } from './oracle/jars.ts';
import { archiveToolClasses } from './oracle/tool.ts';

/** Starts the brokers that all test files share, once for the whole run, both at the same time. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const chosen = process.env.COMPAT_BROKERS ?? 'both';
  if (!['kafka', 'odradek', 'both'].includes(chosen))
    throw new Error(`COMPAT_BROKERS is kafka, odradek or both, not ${chosen}`);
  const running: OwnBroker[] = [];
  const start = async (name: BrokerName): Promise<SharedBroker> => {
    const missing = whyNot(name, chosen);
    if (missing !== undefined) return { unavailable: missing };
    const broker = await startBroker(name);
    running.push(broker);
    if (name === 'kafka') await warmUpGroups(broker);
    return { bootstrapServers: broker.bootstrapServers };
  };
  const removeAll = async (): Promise<void> => {
    await Promise.all(running.map((broker) => broker.remove()));
  };
  try {
    const shared = await Promise.all(brokerNames.map(async (name) => [name, await start(name)] as const));
    if (running.length > 0 && oracleAvailable().available) await archiveToolClasses(running[0].bootstrapServers);
    project.provide('brokers', Object.fromEntries(shared) as Record<BrokerName, SharedBroker>);
  } catch (error) {
    await removeAll();
    throw error;
  }
  return removeAll;
}

/**
 * Apache Kafka creates __consumer_offsets with the first group and answers NOT_COORDINATOR or
 * COORDINATOR_LOAD_IN_PROGRESS while it loads it, which not every client retries. odradek gets no such help: its
 * coordinators serve once it says that it is ready.
 */
async function warmUpGroups(broker: OwnBroker): Promise<void> {
  const admin = kafkajs(broker.bootstrapServers).admin();
  await admin.connect();
  await eventually(() => Promise.all(times(60, (i) => admin.fetchOffsets({ groupId: `warm-up-${i}` }))));
  await admin.disconnect();
}

function whyNot(name: BrokerName, chosen: string): string | undefined {
  if (chosen !== 'both' && chosen !== name) return `COMPAT_BROKERS=${chosen}`;
  if (name === 'odradek') return undefined;
  const oracle = oracleAvailable();
  if (oracle.available) return undefined;
  // Who asks for Kafka by name wants to know that it is missing; by default its half of the run is left out.
  if (chosen === 'kafka') throw new Error(`Apache Kafka cannot be run: ${oracle.reason}`);
  return `Apache Kafka cannot be run: ${oracle.reason}`;
}
