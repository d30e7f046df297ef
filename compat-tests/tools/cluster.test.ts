import { expect, it } from 'vitest';
import { uniqueName } from '../helpers.ts';
import { notYetServed } from '../not-yet.ts';
import { describeTools, inputFile, lines, table } from './tools.ts';

const TELEMETRY: [number, { name: string }][] = [
  [71, { name: 'GetTelemetrySubscriptions' }],
  [72, { name: 'PushTelemetry' }],
];

describeTools('tools that look at the cluster', ({ tool, attempt }, broker) => {
  const newTopic = async (): Promise<string> => {
    const topic = uniqueName('cluster');
    await tool('TopicCommand', ['--create', '--topic', topic]);
    return topic;
  };

  it('kafka-cluster: id, endpoints, no unknown broker to unregister', async () => {
    expect(await tool('ClusterTool', ['cluster-id'])).toMatch(/^Cluster ID: [A-Za-z0-9_-]{22}\n$/);
    const [host, port] = broker.bootstrapServers.split(':');
    const endpoints = lines(await tool('ClusterTool', ['list-endpoints']));
    expect(endpoints.at(-1)?.split(/\s+/)).toEqual(['1', host, port, 'null', 'unfenced', 'broker']);
    const unknown = await attempt('ClusterTool', ['unregister', '--id', '9']);
    expect(unknown.stdout + unknown.stderr).toContain('Broker ID 9 is not currently registered');
  });

  it('kafka-broker-api-versions: every API of the release is usable, telemetry aside', async () => {
    const listed = lines(await tool('BrokerApiVersionsCommand', []));
    expect(listed[0]).toBe(`${broker.bootstrapServers} (id: 1 rack: null isFenced: false) -> (`);
    // A broker advertises the telemetry APIs only when a metrics reporter of its own receives them.
    const missing = new Map([...(broker.name === 'odradek' ? notYetServed : []), ...TELEMETRY]);
    const lacking = [...missing].map(([key, { name }]) => `${name}(${key}): UNSUPPORTED`);
    const told = listed.filter((line) => /UNSUPPORTED|UNKNOWN/.test(line)).map((line) => line.replace(/,$/, ''));
    expect(told.sort()).toEqual(lacking.sort());
  });

  it('kafka-metadata-quorum: one voter, no lag', async () => {
    const status = lines(await tool('MetadataQuorumCommand', ['describe', '--status']));
    const values = Object.fromEntries(status.map((line) => line.split(/:\s+(.*)/)));
    expect(values).toMatchObject({
      LeaderId: '1',
      MaxFollowerLag: '0',
      MaxFollowerLagTimeMs: '0',
      CurrentObservers: '[]',
    });
    expect(Number(values.HighWatermark)).toBeGreaterThan(0);
    expect(JSON.parse(values.CurrentVoters)).toMatchObject([{ id: 1 }]);
    const rows = table(await tool('MetadataQuorumCommand', ['describe', '--replication']), 'NodeId');
    expect(rows).toMatchObject([{ NodeId: '1', Lag: '0', Status: 'Leader' }]);
  });

  it('kafka-features: levels of 4.3, dry runs and refusals', async () => {
    const features = lines(await tool('FeatureCommand', ['describe'])).map((line) =>
      line.replace(/\s*Epoch: \d+$/, ''),
    );
    expect(features.map((line) => line.split(/\t|\s{2,}/).join(' | '))).toEqual([
      'Feature: eligible.leader.replicas.version | SupportedMinVersion: 0 | SupportedMaxVersion: 1 | FinalizedVersionLevel: 1',
      'Feature: group.version | SupportedMinVersion: 0 | SupportedMaxVersion: 1 | FinalizedVersionLevel: 1',
      'Feature: kraft.version | SupportedMinVersion: 0 | SupportedMaxVersion: 1 | FinalizedVersionLevel: 0',
      'Feature: metadata.version | SupportedMinVersion: 3.3-IV3 | SupportedMaxVersion: 4.3-IV0 | FinalizedVersionLevel: 4.3-IV0',
      'Feature: share.version | SupportedMinVersion: 0 | SupportedMaxVersion: 1 | FinalizedVersionLevel: 1',
      'Feature: streams.version | SupportedMinVersion: 0 | SupportedMaxVersion: 1 | FinalizedVersionLevel: 1',
      'Feature: transaction.version | SupportedMinVersion: 0 | SupportedMaxVersion: 2 | FinalizedVersionLevel: 2',
    ]);
    const dry = await tool('FeatureCommand', ['downgrade', '--feature', 'group.version=0', '--dry-run']);
    expect(dry.trim()).toBe('group.version can be downgraded to 0.');
    const refused = await attempt('FeatureCommand', ['upgrade', '--feature', 'group.version=9']);
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain('Could not upgrade group.version to 9.');
  });

  it('kafka-leader-election: the right replica leads already', async () => {
    const topic = await newTopic();
    for (const type of ['preferred', 'unclean']) {
      const elected = await tool('LeaderElectionCommand', [
        '--election-type',
        type,
        '--topic',
        topic,
        '--partition',
        '0',
      ]);
      expect(elected.trim()).toBe(`Valid replica already elected for partitions ${topic}-0`);
    }
    const unknown = await attempt('LeaderElectionCommand', [
      '--election-type',
      'preferred',
      '--topic',
      uniqueName('none'),
      '--partition',
      '0',
    ]);
    expect(unknown.stdout + unknown.stderr).toMatch(/UnknownTopicOrPartition/);
  });

  it('kafka-reassign-partitions: generate, execute, verify, list, cancel', async () => {
    const topic = await newTopic();
    const reassign = (...args: string[]): Promise<string> => tool('reassign.ReassignPartitionsCommand', args);
    const move = inputFile(JSON.stringify({ version: 1, topics: [{ topic }] }));
    const generated = await reassign('--generate', '--topics-to-move-json-file', move, '--broker-list', '1');
    expect(generated).toContain(
      `{"version":1,"partitions":[{"topic":"${topic}","partition":0,"replicas":[1],"log_dirs":["any"]}]}`,
    );
    const plan = inputFile(JSON.stringify({ version: 1, partitions: [{ topic, partition: 0, replicas: [1] }] }));
    const executed = await reassign('--execute', '--reassignment-json-file', plan);
    expect(executed).toContain(`Successfully started partition reassignment for ${topic}-0`);
    const verified = await reassign('--verify', '--reassignment-json-file', plan);
    expect(verified).toContain(`Reassignment of partition ${topic}-0 is completed.`);
    expect((await reassign('--list')).trim()).toBe('No partition reassignments found.');
    const cancelled = await reassign('--cancel', '--reassignment-json-file', plan);
    expect(cancelled).toContain('None of the specified partition reassignments are active.');
  });

  it('kafka-acls and -delegation-tokens: refused, since security is off', async () => {
    const says = async (name: string, ...args: string[]): Promise<string> => {
      const { stdout, stderr, code } = await attempt(name, args);
      expect(code).toBe(1);
      return stdout + stderr;
    };
    const disabled = 'SecurityDisabledException: No Authorizer is configured on the broker';
    expect(await says('AclCommand', '--list')).toContain(disabled);
    expect(
      await says('AclCommand', '--add', '--allow-principal', 'User:x', '--operation', 'Read', '--topic', 'any'),
    ).toContain(disabled);
    expect(
      await says(
        'AclCommand',
        '--remove',
        '--force',
        '--allow-principal',
        'User:x',
        '--operation',
        'Read',
        '--topic',
        'any',
      ),
    ).toContain('SecurityDisabledException: No Authorizer is configured.');
    const config = ['--command-config', inputFile('')];
    const tokens = /DelegationToken(Disabled|RequestNotAllowed|\w*)Exception|UnsupportedByAuthenticationException/;
    expect(await says('DelegationTokenCommand', ...config, '--create', '--max-life-time-period', '-1')).toMatch(tokens);
    expect(await says('DelegationTokenCommand', ...config, '--describe')).toMatch(tokens);
  });

  const hasTransactions = broker.name === 'kafka' || !notYetServed.has(66);
  it.runIf(hasTransactions)('kafka-transactions: none, none hanging, none found', async () => {
    const transactions = (...args: string[]): Promise<string> => tool('TransactionsCommand', args);
    const listed = lines(await transactions('list'));
    expect(listed[0].split('\t')).toEqual(['TransactionalId', 'Coordinator', 'ProducerId', 'TransactionState']);
    expect(lines(await transactions('find-hanging', '--broker-id', '1'))).toHaveLength(1);
    const unknown = await attempt('TransactionsCommand', ['describe', '--transactional-id', uniqueName('tx')]);
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toMatch(/failed because the ID could not be found/);
  });
});
