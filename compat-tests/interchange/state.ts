import {
  Admin,
  ClientQuotaMatchTypes,
  ConfigResourceTypes,
  ConfigSources,
  type ConfigSourceValue,
  Connection,
  describeConfigsV4,
  describeProducersV0,
  describeUserScramCredentialsV0,
} from '@platformatic/kafka';
import type { KafkaMessage } from 'kafkajs';
import { eventually } from '../helpers.ts';
import { checksum, newestByKey, partitionName, type Range, readAll } from './records.ts';

/** What a broker serves from its directory, in a form that two brokers' answers can be compared in. */
export type State = {
  clusterId: string;
  /** Topic ids by name. */
  topics: Record<string, string>;
  /** By `TOPIC-N`. */
  partitions: Record<string, PartitionState>;
  /** What somebody set, by resource. */
  configs: Record<string, Record<string, string | null>>;
  /** Committed offsets with metadata by group and `TOPIC-N`. */
  committed: Record<string, Record<string, string>>;
  quotas: unknown[];
  scram: unknown[];
};

type PartitionState = {
  start: bigint;
  end: bigint;
  count: number;
  checksum: string;
  /**
   * Producer id, epoch and last sequence of the idempotent producers. None where records were deleted: whether a producer
   * is known whose records are gone depends on which snapshots are left.
   */
  producers: string[];
};

export type ObserveOptions = {
  bootstrapServers: string;
  /** Topics whose records compaction may remove at any time: of those the newest of each key counts. */
  compacted: readonly string[];
  /** Topics that change all the time. */
  ignored: readonly string[];
  /** The groups that there must be. A broker that has just started knows them only when it has loaded their log. */
  groups: readonly string[];
};

type Client = { admin: Admin; connection: Connection };

/** Asks a broker for everything that its data directory holds. */
export async function observe(options: ObserveOptions): Promise<State> {
  const { bootstrapServers, compacted, ignored, groups } = options;
  const admin = new Admin({ clientId: 'observer', bootstrapBrokers: [bootstrapServers], retries: 20, retryDelay: 100 });
  const [host, port] = bootstrapServers.split(':');
  const connection = new Connection('observer');
  await connection.connect(host, Number(port));
  try {
    const client = { admin, connection };
    const committed = await committedOffsets(admin, groups);
    const names = (await admin.listTopics()).filter((name) => !ignored.includes(name)).sort();
    const metadata = await admin.metadata({ topics: names, forceUpdate: true });
    const counts = new Map(names.map((name) => [name, metadata.topics.get(name)?.partitionsCount ?? 0]));
    return {
      clusterId: metadata.id,
      topics: Object.fromEntries(names.map((name) => [name, metadata.topics.get(name)?.id ?? ''])),
      partitions: await partitionStates(client, bootstrapServers, counts, compacted),
      configs: await configsSet(connection, names),
      committed,
      quotas: await quotas(admin),
      scram: await scramCredentials(connection),
    };
  } finally {
    await Promise.all([admin.close(), connection.close()]);
  }
}

async function partitionStates(
  { admin, connection }: Client,
  bootstrapServers: string,
  counts: ReadonlyMap<string, number>,
  compacted: readonly string[],
): Promise<Record<string, PartitionState>> {
  const ranges = await offsetRanges(admin, counts);
  const messages = await readAll(bootstrapServers, [...counts.keys()], ranges);
  const producers = await producersOf(connection, counts);
  const state = (name: string, range: Range): PartitionState => {
    const read = messages.get(name) as KafkaMessage[];
    const kept = compacted.some((topic) => name.startsWith(`${topic}-`)) ? newestByKey(read) : read;
    return {
      ...range,
      count: kept.length,
      checksum: checksum(kept),
      producers: range.start === 0n ? (producers.get(name) ?? []) : [],
    };
  };
  return Object.fromEntries([...ranges].map(([name, range]) => [name, state(name, range)]));
}

async function offsetRanges(admin: Admin, counts: ReadonlyMap<string, number>): Promise<Map<string, Range>> {
  const at = async (timestamp: bigint): Promise<Map<string, bigint>> => {
    const topics = [...counts].map(([name, count]) => ({
      name,
      partitions: Array.from({ length: count }, (_, partitionIndex) => ({ partitionIndex, timestamp })),
    }));
    const listed = await admin.listOffsets({ topics });
    return new Map(
      listed.flatMap(({ name, partitions }) =>
        partitions.map(({ partitionIndex, offset }) => [partitionName(name, partitionIndex), offset] as const),
      ),
    );
  };
  const [earliest, latest] = [await at(-2n), await at(-1n)];
  return new Map([...earliest].sort().map(([name, start]) => [name, { start, end: latest.get(name) as bigint }]));
}

async function producersOf(
  connection: Connection,
  counts: ReadonlyMap<string, number>,
): Promise<Map<string, string[]>> {
  const asked = [...counts].map(([name, count]) => ({ name, partitionIndexes: [...Array(count).keys()] }));
  const { topics } = await describeProducersV0.api.async(connection, asked);
  return new Map(
    topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, activeProducers }) => {
        const all = activeProducers.map((p) => `${p.producerId}/${p.producerEpoch}: ${p.lastSequence}`);
        return [partitionName(name, partitionIndex), all.sort()] as const;
      }),
    ),
  );
}

const SET_BY_SOMEBODY: readonly ConfigSourceValue[] = [
  ConfigSources.TOPIC_CONFIG,
  ConfigSources.DYNAMIC_BROKER_CONFIG,
  ConfigSources.DYNAMIC_DEFAULT_BROKER_CONFIG,
];

async function configsSet(connection: Connection, topics: string[]): Promise<State['configs']> {
  const resources = [
    ...topics.map((resourceName) => ({ resourceType: ConfigResourceTypes.TOPIC, resourceName })),
    { resourceType: ConfigResourceTypes.BROKER, resourceName: '1' },
    { resourceType: ConfigResourceTypes.BROKER, resourceName: '' },
  ];
  const { results } = await describeConfigsV4.api.async(connection, resources, false, false);
  return Object.fromEntries(
    results.map(({ resourceType, resourceName, configs }) => {
      const set = configs.filter(({ configSource }) => SET_BY_SOMEBODY.includes(configSource));
      const pairs = set.map(({ name, value }) => [name, value ?? null] as const);
      return [`${resourceType}:${resourceName}`, Object.fromEntries(pairs.sort())];
    }),
  );
}

function committedOffsets(admin: Admin, groups: readonly string[]): Promise<State['committed']> {
  return eventually(async () => {
    // The client asks the brokers that it knows of; an answer from the time before the broker was there would stay.
    const { brokers } = await admin.metadata({ topics: [], forceUpdate: true });
    if (brokers.size === 0) throw new Error('no broker in the metadata');
    const listed = [...(await admin.listGroups()).keys()].sort();
    const missing = groups.filter((group) => !listed.includes(group));
    if (missing.length > 0) throw new Error(`groups are missing: ${missing.join(', ')}`);
    if (listed.length === 0) return {};
    const answers = await admin.listConsumerGroupOffsets({ groups: listed });
    return Object.fromEntries(
      answers.map(({ groupId, topics }) => {
        const entries = topics.flatMap(({ name, partitions }) =>
          partitions.map(({ partitionIndex, committedOffset, metadata }) => {
            return [partitionName(name, partitionIndex), `${committedOffset} ${metadata}`] as const;
          }),
        );
        return [groupId, Object.fromEntries(entries.sort())];
      }),
    );
  });
}

async function quotas(admin: Admin): Promise<unknown[]> {
  const components = [{ entityType: 'user', matchType: ClientQuotaMatchTypes.ANY }] as const;
  const entries = await admin.describeClientQuotas({ components: [...components], strict: false });
  return entries.map((entry) => JSON.stringify(entry)).sort();
}

async function scramCredentials(connection: Connection): Promise<unknown[]> {
  const { results } = await describeUserScramCredentialsV0.api.async(connection, []);
  return results.map((entry) => JSON.stringify(entry)).sort();
}
