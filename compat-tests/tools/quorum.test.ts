/** Voters in the metadata log (kraft.version 1, KIP-853), in a quorum of one voter. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Broker, type BrokerName, type OwnBroker, type StartOptions, startBroker } from '../brokers.ts';
import { describeBoth, describeBrokerKinds } from '../describe-brokers.ts';
import { runTool } from '../oracle/tool.ts';
import { lines, table, toolsFor } from './tools.ts';

const TOPIC = 'kept';
const running: OwnBroker[] = [];
afterAll(() => Promise.all(running.map((broker) => broker.remove())));

async function start(name: BrokerName, options: StartOptions): Promise<OwnBroker> {
  const broker = await startBroker(name, options);
  running.push(broker);
  return broker;
}

const directoryId = ({ directory }: OwnBroker): string =>
  /^directory\.id=(.*)$/m.exec(readFileSync(join(directory, 'data', 'meta.properties'), 'utf8'))?.[1] as string;

/** The voters as kafka-metadata-quorum tells them, without their endpoints. */
async function voters(broker: Broker) {
  const { tool } = toolsFor(broker);
  const status = lines(await tool('MetadataQuorumCommand', ['describe', '--status']));
  const told = Object.fromEntries(status.map((line) => line.split(/:\s+(.*)/)));
  const [row, ...others] = table(await tool('MetadataQuorumCommand', ['describe', '--replication']), 'NodeId');
  expect(others).toEqual([]);
  const [{ id, directoryId }] = JSON.parse(told.CurrentVoters);
  return { id, directoryId, replication: [row.NodeId, row.DirectoryId, row.Lag, row.Status] };
}

/** Supported and finalized, as kafka-features tells them. */
async function kraftVersion(broker: Broker): Promise<string[]> {
  const described = lines(await toolsFor(broker).tool('FeatureCommand', ['describe']));
  const line = described.find((one) => one.startsWith('Feature: kraft.version')) as string;
  return [...line.matchAll(/(?:Min|Max|Finalized)Version(?:Level)?: (\d)/g)].map(([, level]) => level);
}

/** What a tool says that refuses, in its first line. */
async function refusal(broker: Broker, name: string, args: string[]): Promise<string> {
  const { stdout, stderr, code } = await toolsFor(broker).attempt(name, args);
  expect(code).toBe(1);
  return lines(stdout + stderr)[0];
}

async function isDynamic(broker: OwnBroker): Promise<void> {
  const id = directoryId(broker);
  expect(await voters(broker)).toEqual({ id: 1, directoryId: id, replication: ['1', id, '0', 'Leader'] });
  expect(await kraftVersion(broker)).toEqual(['0', '1', '1']);
}

const produce = (broker: Broker, text: string): Promise<string> =>
  toolsFor(broker).tool('ConsoleProducer', ['--topic', TOPIC], { stdin: `${text}\n` });

async function consume(broker: Broker, count: number): Promise<string[]> {
  const args = ['--topic', TOPIC, '--from-beginning', '--max-messages', String(count)];
  const printed = lines(await toolsFor(broker).tool('consumer.ConsoleConsumer', args));
  return printed.filter((line) => !line.startsWith('The consumer rebalance protocol'));
}

/** The control records of the first segment of the metadata log, as Kafka's own tool reads them. */
async function controlRecords({ directory }: OwnBroker): Promise<string[]> {
  const file = join(directory, 'data', '__cluster_metadata-0', '00000000000000000000.log');
  const { stdout } = await runTool('org.apache.kafka.tools.DumpLogSegments', ['--files', file, '--print-data-log']);
  expect(stdout).not.toContain('isvalid: false');
  return [...stdout.matchAll(/(LeaderChange|KRaftVersion|KRaftVoters)/g)].map(([, type]) => type);
}

describeBoth('a directory with its voters in the log', () => {
  it.each<[BrokerName, BrokerName]>([
    ['kafka', 'odradek'],
    ['odradek', 'kafka'],
  ])(
    'formatted for %s, is served by %s and then again, with its topic and records',
    async (first, second) => {
      const one = await start(first, { standalone: true });
      await toolsFor(one).tool('TopicCommand', ['--create', '--topic', TOPIC]);
      await produce(one, 'a');
      await isDynamic(one);
      await one.stop();
      const two = await start(second, { standalone: true, directory: one.directory });
      await isDynamic(two);
      await produce(two, 'b');
      expect(await consume(two, 2)).toEqual(['a', 'b']);
      await two.stop();
      await one.restart();
      await isDynamic(one);
      await produce(one, 'c');
      expect(await consume(one, 3)).toEqual(['a', 'b', 'c']);
      await one.stop();
      expect((await controlRecords(one)).slice(0, 3)).toEqual(['LeaderChange', 'KRaftVersion', 'KRaftVoters']);
    },
    180_000,
  );
});

describeBrokerKinds('a quorum of one voter', (name) => {
  let broker: OwnBroker;
  beforeAll(async () => {
    broker = await start(name, {});
  });
  const PREFIX = 'The update failed for all features since the following feature had an error: Invalid update version';

  it('takes its voters into the log with an upgrade of kraft.version, and not out again', async () => {
    const { tool } = toolsFor(broker);
    const none = 'A'.repeat(22);
    expect(await voters(broker)).toEqual({ id: 1, directoryId: undefined, replication: ['1', none, '0', 'Leader'] });
    const features = (verb: string, level: number, ...more: string[]) => [
      verb,
      '--feature',
      `kraft.version=${level}`,
      ...more,
    ];
    expect(await tool('FeatureCommand', features('upgrade', 1, '--dry-run'))).toBe(
      'kraft.version can be upgraded to 1.\n',
    );
    expect(await kraftVersion(broker)).toEqual(['0', '1', '0']);
    expect(await tool('FeatureCommand', features('upgrade', 1))).toBe('kraft.version was upgraded to 1.\n');
    await isDynamic(broker);
    expect(await refusal(broker, 'FeatureCommand', features('upgrade', 2))).toBe(
      `Could not upgrade kraft.version to 2. ${PREFIX} 2 for feature kraft.version. Local controller 1 only supports versions 0-1`,
    );
    expect(await refusal(broker, 'FeatureCommand', features('downgrade', 0))).toBe(
      `Could not downgrade kraft.version to 0. ${PREFIX} 0 for feature kraft.version. Can't downgrade the version of this feature.`,
    );
    await broker.restart();
    await isDynamic(broker);
  });

  it('keeps its last voter', async () => {
    const id = directoryId(broker);
    const remove = ['remove-controller', '--controller-id', '1', '--controller-directory-id', id];
    const key = `ReplicaKey(id=1, directoryId=${id})`;
    expect(await refusal(broker, 'MetadataQuorumCommand', remove)).toBe(
      `org.apache.kafka.common.errors.VoterNotFoundException: Cannot remove voter ${key} from the set of voters [${key}]`,
    );
  });

  it('has written the voters behind the version, once', async () => {
    await broker.stop();
    expect(await controlRecords(broker)).toEqual(['LeaderChange', 'KRaftVersion', 'KRaftVoters', 'LeaderChange']);
  });
});
