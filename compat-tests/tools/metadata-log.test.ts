import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MetadataLog } from '../../src/raft/driver.ts';
import { systemClock } from '../../src/system-env.ts';
import { NodeDisk } from '../../storage/index.ts';
import { type Broker, type BrokerName, type OwnBroker, startBroker } from '../brokers.ts';
import { describeBoth, describeBrokerKinds } from '../describe-brokers.ts';
import { eventually, uniqueName } from '../helpers.ts';
import { kafkajs } from '../kafkajs/client.ts';
import { runTool } from '../oracle/tool.ts';
import { toolsFor } from './tools.ts';

/** A snapshot after each change, segments of a few records. */
const SMALL = {
  'metadata.log.max.record.bytes.between.snapshots': '1',
  'internal.metadata.log.segment.bytes': '2000',
  'internal.metadata.max.batch.size.in.bytes': '2000',
};

/** What stays the same when a broker ends and another one takes its place: all of a record, or these of its fields. */
const LASTING: Record<string, readonly string[] | 'all'> = {
  FEATURE_LEVEL_RECORD: 'all',
  REGISTER_BROKER_RECORD: ['brokerId', 'rack', 'logDirs'],
  TOPIC_RECORD: 'all',
  PARTITION_RECORD: ['topicId', 'partitionId', 'replicas', 'directories'],
  CONFIG_RECORD: 'all',
  CLIENT_QUOTA_RECORD: 'all',
  PRODUCER_IDS_RECORD: 'all',
  USER_SCRAM_CREDENTIAL_RECORD: 'all',
};

describeBoth('the metadata log behind a snapshot', () => {
  const running: OwnBroker[] = [];
  afterAll(() => Promise.all(running.map((broker) => broker.remove())));

  async function start(name: BrokerName, directory?: string): Promise<OwnBroker> {
    const broker = await startBroker(name, { properties: SMALL, ...(directory === undefined ? {} : { directory }) });
    running.push(broker);
    return broker;
  }

  it('of odradek is read by DumpLogSegments, and Apache Kafka starts on it with the same cluster', async () => {
    const odradek = await start('odradek');
    await work(odradek);
    await odradek.stop();
    const left = await lasting(newestSnapshot(odradek));
    expect(new Set(left.map(({ type }) => type))).toEqual(new Set(Object.keys(LASTING)));
    await letGo(odradek);
    expect(logFiles(odradek)).not.toContain('00000000000000000000.log');
    const kafka = await start('kafka', odradek.directory);
    expect(await lasting(await nextSnapshot(kafka))).toEqual(left);
    await works(kafka);
  });

  it('of Apache Kafka is where odradek starts with the same cluster', async () => {
    const kafka = await start('kafka');
    await work(kafka);
    await nextSnapshot(kafka);
    await kafka.stop();
    const left = await lasting(newestSnapshot(kafka));
    cutBelow(kafka, endOf(newestSnapshot(kafka)));
    expect(logFiles(kafka)).not.toContain('00000000000000000000.log');
    const odradek = await start('odradek', kafka.directory);
    await odradek.stop();
    expect(await lasting(newestSnapshot(odradek))).toEqual(left);
    await odradek.restart();
    await works(odradek);
  });
});

describeBrokerKinds('the metadata log', (name) => {
  let broker: OwnBroker;
  beforeAll(async () => {
    broker = await startBroker(name);
  });
  afterAll(() => broker?.remove());

  it('holds the records of a cluster that begins, changes and stops', async () => {
    const { tool } = toolsFor(broker);
    await tool('TopicCommand', ['--create', '--topic', 't', '--config', 'retention.ms=5000']);
    const topic = ['--entity-type', 'topics', '--entity-name', 't'];
    await tool('kafka.admin.ConfigCommand', ['--alter', ...topic, '--add-config', 'min.insync.replicas=2']);
    const all = ['--entity-type', 'brokers', '--entity-default'];
    await tool('kafka.admin.ConfigCommand', ['--alter', ...all, '--add-config', 'min.insync.replicas=1']);
    await broker.stop();
    const records = await dump(join(metadataDir(broker), '00000000000000000000.log'));
    expect(records.filter(isTelling).map(inWords)).toEqual([
      'BEGIN_TRANSACTION_RECORD {"name":"Bootstrap records"}',
      'FEATURE_LEVEL_RECORD {"name":"metadata.version","featureLevel":30}',
      'FEATURE_LEVEL_RECORD {"name":"eligible.leader.replicas.version","featureLevel":1}',
      'FEATURE_LEVEL_RECORD {"name":"group.version","featureLevel":1}',
      'FEATURE_LEVEL_RECORD {"name":"share.version","featureLevel":1}',
      'FEATURE_LEVEL_RECORD {"name":"streams.version","featureLevel":1}',
      'FEATURE_LEVEL_RECORD {"name":"transaction.version","featureLevel":2}',
      'CONFIG_RECORD {"resourceType":4,"resourceName":"","name":"min.insync.replicas","value":"1"}',
      'END_TRANSACTION_RECORD {}',
      'REGISTER_CONTROLLER_RECORD {"controllerId":1,"zkMigrationReady":false}',
      'REGISTER_BROKER_RECORD {"brokerId":1,"isMigratingZkBroker":false,"rack":null,"fenced":true,"inControlledShutdown":false}',
      'BROKER_REGISTRATION_CHANGE_RECORD {"brokerId":1,"fenced":-1}',
      'TOPIC_RECORD {"name":"t"}',
      'CONFIG_RECORD {"resourceType":2,"resourceName":"t","name":"retention.ms","value":"5000"}',
      'PARTITION_RECORD {"partitionId":0,"replicas":[1],"isr":[1],"removingReplicas":[],"addingReplicas":[],"leader":1,"leaderEpoch":0,"partitionEpoch":0}',
      'CONFIG_RECORD {"resourceType":2,"resourceName":"t","name":"min.insync.replicas","value":"2"}',
      'CLEAR_ELR_RECORD {"topicName":"t"}',
      'CONFIG_RECORD {"resourceType":4,"resourceName":"","name":"min.insync.replicas","value":"1"}',
      'CLEAR_ELR_RECORD {"topicName":""}',
      'BROKER_REGISTRATION_CHANGE_RECORD {"brokerId":1,"inControlledShutdown":1}',
      'PARTITION_CHANGE_RECORD {"partitionId":0,"isr":[],"leader":-1,"eligibleLeaderReplicas":[1],"lastKnownElr":[1]}',
      'BROKER_REGISTRATION_CHANGE_RECORD {"brokerId":1,"fenced":1}',
    ]);
  });
});

/** Kafka shows every half second that it lives, and tells of cordoned directories in a record of its own. */
const isTelling = ({ type, data }: Payload): boolean =>
  type !== 'NO_OP_RECORD' && !('cordonedLogDirs' in data && !('features' in data));

/** Fields that differ from cluster to cluster, and what a node supports. */
const OWN = [
  'topicId',
  'brokerEpoch',
  'incarnationId',
  'endPoints',
  'features',
  'logDirs',
  'directories',
  'cordonedLogDirs',
];

function inWords({ type, data }: Payload): string {
  return `${type} ${JSON.stringify(Object.fromEntries(Object.entries(data).filter(([field]) => !OWN.includes(field))))}`;
}

/** Something of everything that the metadata holds. */
async function work(broker: Broker): Promise<void> {
  const { tool } = toolsFor(broker);
  const topic = uniqueName('kept');
  await tool('TopicCommand', ['--create', '--topic', topic, '--partitions', '3', '--config', 'retention.ms=123456789']);
  await tool('TopicCommand', ['--create', '--topic', 'gone']);
  await tool('TopicCommand', ['--delete', '--topic', 'gone']);
  const alter = (...args: string[]) => tool('kafka.admin.ConfigCommand', ['--alter', ...args]);
  await alter('--entity-type', 'users', '--entity-name', 'u', '--add-config', 'SCRAM-SHA-512=[password=p]');
  const defaultClient = ['--entity-type', 'clients', '--entity-default'];
  await alter(
    '--entity-type',
    'users',
    '--entity-name',
    'u',
    ...defaultClient,
    '--add-config',
    'request_percentage=50',
  );
  await alter('--entity-type', 'brokers', '--entity-default', '--add-config', 'log.cleaner.threads=2');
  const producer = kafkajs(broker.bootstrapServers).producer({ idempotent: true });
  await producer.connect();
  await producer.send({ topic, messages: [{ value: 'x' }] });
  await producer.disconnect();
}

/** A change can be made. */
async function works(broker: Broker): Promise<void> {
  const admin = kafkajs(broker.bootstrapServers).admin();
  await admin.connect();
  expect(await admin.createTopics({ topics: [{ topic: 'works' }] })).toBe(true);
  await admin.disconnect();
}

const directoryId = ({ directory }: OwnBroker): string =>
  /^directory\.id=(.*)$/m.exec(readFileSync(join(directory, 'data', 'meta.properties'), 'utf8'))?.[1] as string;
const metadataDir = ({ directory }: OwnBroker): string => join(directory, 'data', '__cluster_metadata-0');
const files = (broker: OwnBroker, suffix: string): string[] =>
  readdirSync(metadataDir(broker))
    .filter((name) => name.endsWith(suffix))
    .sort();
const logFiles = (broker: OwnBroker): string[] => files(broker, '.log');
const newestSnapshot = (broker: OwnBroker): string =>
  join(metadataDir(broker), files(broker, '.checkpoint').at(-1) as string);
const endOf = (snapshot: string): number => Number(/(\d{20})-\d{10}\.checkpoint$/.exec(snapshot)?.[1]);

/** Waits until a snapshot has been begun and finished after now. */
async function nextSnapshot(broker: OwnBroker): Promise<string> {
  const known = files(broker, '.checkpoint').length;
  await eventually(() => files(broker, '.checkpoint').length >= known + 2);
  return newestSnapshot(broker);
}

/** Lets odradek's own code drop what lies below the newest snapshot, which the broker does once a minute. */
async function letGo(broker: OwnBroker): Promise<void> {
  const ignore = (): void => {};
  const log = await MetadataLog.open(
    {
      disk: new NodeDisk(),
      dir: join(broker.directory, 'data'),
      local: { id: 1, directoryId: directoryId(broker), endpoints: [], minKraftVersion: 0, maxKraftVersion: 1 },
      initialKraftVersion: 0,
      clock: systemClock,
      logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
      segmentBytes: Number(SMALL['internal.metadata.log.segment.bytes']),
      segmentMs: 1e9,
    },
    { snapshot: ignore, batch: ignore },
  );
  await log.clean({ retentionBytes: 0, retentionMs: -1 });
  await log.close();
}

/** Removes the segments that lie below `offset` as a whole, as Kafka does once a minute. */
function cutBelow(broker: OwnBroker, offset: number): void {
  const bases = logFiles(broker).map((name) => name.slice(0, 20));
  for (const [i, base] of bases.entries()) {
    if (i + 1 === bases.length || Number(bases[i + 1]) > offset) return;
    for (const suffix of ['log', 'index', 'timeindex']) rmSync(join(metadataDir(broker), `${base}.${suffix}`));
  }
}

type Payload = { type: string; data: Record<string, unknown> };

/** The records of a log or a snapshot, as Kafka's own tool reads them. */
async function dump(file: string): Promise<Payload[]> {
  const args = ['--cluster-metadata-decoder', '--skip-record-metadata', '--files', file];
  const { stdout, stderr, code } = await runTool('org.apache.kafka.tools.DumpLogSegments', args);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).not.toContain('isvalid: false');
  return [...stdout.matchAll(/^\| payload: (.*)$/gm)].map(([, json]): Payload => JSON.parse(json));
}

/** What lasts of a snapshot, as lines in a fixed order. */
async function lasting(snapshot: string): Promise<Payload[]> {
  const lines: { text: string; payload: Payload }[] = [];
  for (const { type, data } of await dump(snapshot)) {
    const fields = LASTING[type];
    if (fields === undefined) continue;
    const kept = fields === 'all' ? data : Object.fromEntries(fields.map((field) => [field, data[field]]));
    const payload = { type, data: kept };
    lines.push({ text: JSON.stringify(payload), payload });
  }
  return lines.sort((a, b) => (a.text < b.text ? -1 : 1)).map(({ payload }) => payload);
}
