import { eventually } from '../helpers.ts';
import { type HeartbeatFields, joining, owning, topology, type WireGroup } from './wire-group.ts';

type Scenario = (group: WireGroup) => Promise<unknown>;

/** One heartbeat of a member of a group that is not there. */
const alone =
  (fields: (group: WireGroup) => HeartbeatFields, memberId = 'm1'): Scenario =>
  (group) =>
    group.heartbeat(memberId, fields(group));

/** The only heartbeat of a member that joins with something amiss. */
const joiningWith = (fields: HeartbeatFields): Scenario => alone(() => ({ ...joining(topology()), ...fields }));

const join = (group: WireGroup, ...subtopologies: Parameters<typeof topology>): HeartbeatFields =>
  joining(topology(...subtopologies.map((s) => renamed(group, s))));

/** The same subtopology with the names of topics that belong to the group. */
function renamed(group: WireGroup, s: Parameters<typeof topology>[number]): typeof s {
  const named = <T extends { name?: string }>(topics: readonly T[] = []) =>
    topics.map((topic) => ({ ...topic, name: group.name(topic.name ?? '') }));
  return {
    ...s,
    sourceTopics: s.sourceTopics?.map((name) => group.name(name)),
    repartitionSinkTopics: s.repartitionSinkTopics?.map((name) => group.name(name)),
    repartitionSourceTopics: named(s.repartitionSourceTopics),
    stateChangelogTopics: named(s.stateChangelogTopics),
  };
}

/** What comes of a member that joins with this topology where these topics are there. */
const topologyOn =
  (topics: Record<string, number>, ...subtopologies: Parameters<typeof topology>): Scenario =>
  async (group) => {
    for (const [name, partitions] of Object.entries(topics)) await group.createTopic(name, partitions);
    return { answer: await group.heartbeat('m1', join(group, ...subtopologies)), group: await group.describe() };
  };

/** A group of one member that reads a topic of two partitions. */
async function started(group: WireGroup, fields: HeartbeatFields = {}): Promise<HeartbeatFields> {
  await group.createTopic('in', 2);
  const first = { ...join(group, { sourceTopics: ['in'] }), ...fields };
  await group.heartbeat('m1', first);
  return first;
}

/** Members' first heartbeats that are refused whatever the group is like. */
const requests: Record<string, Scenario> = {
  'no member id': alone(() => joining(topology()), ''),
  'a blank member id': alone(() => joining(topology()), ' '),
  'no group id': joiningWith({ groupId: '' }),
  'an instance id': joiningWith({ instanceId: 'i' }),
  'an empty rack id': joiningWith({ rackId: '' }),
  'task offsets': joiningWith({ taskOffsets: [] }),
  'task end offsets': joiningWith({ taskEndOffsets: [] }),
  'warm-up tasks': joiningWith({ warmupTasks: [{ subtopologyId: '0', partitions: [0] }] }),
  'no rebalance timeout': joiningWith({ rebalanceTimeoutMs: -1 }),
  'active tasks when joining': joiningWith({ activeTasks: [{ subtopologyId: '0', partitions: [0] }] }),
  'null active tasks when joining': joiningWith({ activeTasks: null }),
  'null standby tasks when joining': joiningWith({ standbyTasks: null }),
  'null warm-up tasks when joining': joiningWith({ warmupTasks: null }),
  'no topology': joiningWith({ topology: null }),
  'a regular expression': joiningWith({ topology: topology({ sourceTopicRegex: ['a.*'] }) }),
  'a changelog with partitions': joiningWith({
    topology: topology({ stateChangelogTopics: [{ name: 'log', partitions: 3 }] }),
  }),
  'an internal topic': joiningWith({
    topology: topology({ sourceTopics: ['__consumer_offsets', 'a', '__transaction_state'] }),
  }),
  'an invalid topic name': joiningWith({
    topology: topology({ sourceTopics: ['a b'], repartitionSinkTopics: ['..'], stateChangelogTopics: [{ name: '' }] }),
  }),
  'a negative topology epoch': joiningWith({ topology: { ...topology({ sourceTopics: ['a'] }), epoch: -1 } }),
  'a subtopology twice': joiningWith({
    topology: topology({ subtopologyId: '0', sourceTopics: ['a'] }, { subtopologyId: '0', sourceTopics: ['b'] }),
  }),
  'member epoch -3': alone(() => ({ memberEpoch: -3 })),
  'member epoch -2': alone(() => ({ memberEpoch: -2 })),
  'member epoch -2 with an instance id': alone(() => ({ memberEpoch: -2, instanceId: 'i' })),
  'a topology when not joining': alone(() => ({ memberEpoch: 1, topology: topology() })),
  'one kind of tasks only': alone(() => ({ memberEpoch: 1, activeTasks: [] })),
  'leaving an unknown group': alone(() => ({ memberEpoch: -1 })),
  'a member of an unknown group': alone(() => ({ memberEpoch: 1 })),
  'describing an unknown group': (group) => group.describe(),
  'describing the empty group': (group) => group.describe(''),
  'an empty topology': joiningWith({}),
};

const repartition = (name: string, partitions = 0) => ({ name, partitions });
const copartition = (sourceTopics: number[], repartitionSourceTopics: number[]) => [
  { sourceTopics, repartitionSourceTopics },
];

const topologies: Record<string, Scenario> = {
  'a stateless topology': topologyOn({ in: 3 }, { sourceTopics: ['in'] }),
  'missing source topics': topologyOn({}, { sourceTopics: ['b', 'a', 'd', 'c'] }),
  'a missing changelog': topologyOn({ in: 2 }, { sourceTopics: ['in'], stateChangelogTopics: [{ name: 'log' }] }),
  'a repartition topic': topologyOn(
    { in: 3 },
    { sourceTopics: ['in'], repartitionSinkTopics: ['re'] },
    { repartitionSourceTopics: [repartition('re')], stateChangelogTopics: [] },
  ),
  'a changelog of another width': topologyOn(
    { in: 2, log: 3 },
    { sourceTopics: ['in'], stateChangelogTopics: [{ name: 'log' }] },
  ),
  'a repartition topic of another width': topologyOn(
    { in: 2, re: 3 },
    { sourceTopics: ['in'], repartitionSinkTopics: ['re'] },
    { repartitionSourceTopics: [repartition('re')] },
  ),
  'a loop of repartition topics': topologyOn(
    {},
    {
      repartitionSourceTopics: [repartition('re')],
      repartitionSinkTopics: ['re'],
    },
  ),
  'a repartition topic that nobody writes': topologyOn({}, { repartitionSourceTopics: [repartition('re')] }),
  'a subtopology without sources': topologyOn({}, { stateChangelogTopics: [] }),
  'joined topics of different width': topologyOn(
    { left: 2, right: 3 },
    { sourceTopics: ['left', 'right'], copartitionGroups: copartition([0, 1], []) },
  ),
  'a fixed repartition topic joined with a topic of another width': topologyOn(
    { in: 2, right: 3 },
    { sourceTopics: ['in'], repartitionSinkTopics: ['re'] },
    {
      sourceTopics: ['right'],
      repartitionSourceTopics: [repartition('re', 4)],
      copartitionGroups: copartition([0], [0]),
    },
  ),
  'fixed repartition topics of different width': topologyOn(
    { in: 2 },
    { sourceTopics: ['in'], repartitionSinkTopics: ['r1', 'r2'] },
    {
      repartitionSourceTopics: [repartition('r1', 2), repartition('r2', 3)],
      copartitionGroups: copartition([], [0, 1]),
    },
  ),
  'a copartition group beyond the topics': topologyOn(
    { in: 2 },
    { sourceTopics: ['in'], copartitionGroups: copartition([1], []) },
  ),
  'internal topics that cannot be created': async (group) => {
    await group.createTopic('in', 1);
    const log = { name: 'log', replicationFactor: 3 };
    const first = join(group, { sourceTopics: ['in'], stateChangelogTopics: [log] });
    await group.heartbeat('m1', first);
    return eventually(async () => {
      const answer = await group.heartbeat('m1', first);
      return JSON.stringify(answer).includes('Creation failed') ? answer : undefined;
    });
  },
  'internal topics as they are created': async (group) => {
    await group.createTopic('in', 3);
    const first = join(
      group,
      { sourceTopics: ['in'], repartitionSinkTopics: ['re'] },
      {
        repartitionSourceTopics: [repartition('re')],
        stateChangelogTopics: [{ name: 'log', topicConfigs: [{ key: 'cleanup.policy', value: 'compact' }] }],
      },
    );
    const missing = await group.heartbeat('m1', first);
    await group.settled(group.name('log'), 3);
    const { memberEpoch } = missing as { memberEpoch: number };
    const found = await group.heartbeat('m1', { memberEpoch, ...owning() });
    return { found, group: await group.describe(), width: await group.partitionCount(group.name('re')) };
  },
};

const lives: Record<string, Scenario> = {
  'one member': async (group) => {
    const first = await started(group);
    return [
      await group.heartbeat('m1', first),
      await group.heartbeat('m1', { memberEpoch: 2, ...owning(0, 1) }),
      await group.describe(),
      await group.listed(),
      await group.heartbeat('m1', { memberEpoch: -1 }),
      await group.describe(),
      await group.listed('Empty'),
      await group.delete(),
      await group.describe(),
    ];
  },
  'a second member': async (group) => {
    const first = await started(group);
    const second = { ...first, processId: 'process-2' };
    return [
      await group.heartbeat('m2', second),
      await group.describe(),
      await group.heartbeat('m1', { memberEpoch: 2, ...owning(0, 1) }),
      await group.heartbeat('m2', { memberEpoch: 3, ...owning() }),
      await group.describe(),
      await group.heartbeat('m1', { memberEpoch: 2 }),
      await group.heartbeat('m1', { memberEpoch: 2, ...owning(0) }),
      await group.heartbeat('m2', { memberEpoch: 3, ...owning() }),
      await group.describe(),
      await group.heartbeat('m2', { memberEpoch: -1 }),
      await group.heartbeat('m1', { memberEpoch: 3, ...owning(0) }),
      await group.describe(),
    ];
  },
  'member epochs': async (group) => {
    const first = await started(group);
    await group.heartbeat('m2', { ...first, processId: 'process-2' });
    await group.heartbeat('m1', { memberEpoch: 2, ...owning(0, 1) });
    await group.heartbeat('m1', { memberEpoch: 2, ...owning(0) });
    return [
      await group.heartbeat('m1', { memberEpoch: 9, ...owning(0) }),
      await group.heartbeat('m1', { memberEpoch: 1, ...owning(0) }),
      await group.heartbeat('m1', { memberEpoch: 2, ...owning(0, 1) }),
      await group.heartbeat('m1', { memberEpoch: 2 }),
      await group.heartbeat('m1', { memberEpoch: 2, ...owning(0) }),
      await group.heartbeat('m3', { memberEpoch: 2, ...owning() }),
      await group.heartbeat('m3', { memberEpoch: -1 }),
      await group.heartbeat('m1', first),
    ];
  },
  'tasks that there are none of': async (group) => {
    await started(group);
    return [
      await group.heartbeat('m1', { memberEpoch: 2, ...owning(2) }),
      await group.heartbeat('m1', { memberEpoch: 2, ...owning(-1) }),
      await group.heartbeat('m1', {
        memberEpoch: 2,
        ...owning(),
        standbyTasks: [{ subtopologyId: 'x', partitions: [0] }],
      }),
    ];
  },
  'other topologies': async (group) => {
    const first = await started(group);
    const { subtopologies } = first.topology ?? {};
    return [
      await group.heartbeat('m2', { ...first, topology: { epoch: 1, subtopologies } }),
      await group.heartbeat('m2', { ...first, topology: { epoch: 0, subtopologies: [] } }),
    ];
  },
  'a topology of an earlier epoch': async (group) => {
    await group.createTopic('in', 2);
    const first = join(group, { sourceTopics: ['in'] });
    const { subtopologies } = first.topology ?? {};
    await group.heartbeat('m1', { ...first, topology: { epoch: 4, subtopologies } });
    return [
      await group.heartbeat('m2', { ...first, topology: { epoch: 3, subtopologies: [] } }),
      await group.describe(),
    ];
  },
  'what members say of themselves': async (group) => {
    const first = await started(group, {
      rackId: 'r',
      clientTags: [
        { key: 'zone', value: 'b' },
        { key: 'cluster', value: 'a' },
      ],
      userEndpoint: { host: 'h', port: 60_000 },
    });
    return [
      await group.heartbeat('m1', first),
      await group.describe(),
      await group.heartbeat('m1', { memberEpoch: 2, ...owning(0, 1), endpointInformationEpoch: 3 }),
      await group.heartbeat('m1', { memberEpoch: 2, ...owning(0, 1), endpointInformationEpoch: 1 }),
      await group.heartbeat('m1', { memberEpoch: 2, ...owning(0, 1), processId: 'process-9' }),
    ];
  },
  'shutting down all': async (group) => {
    const first = await started(group);
    await group.heartbeat('m2', { ...first, processId: 'process-2' });
    return [
      await group.heartbeat('m1', { memberEpoch: -1, shutdownApplication: true }),
      await group.heartbeat('m2', { memberEpoch: 3, ...owning() }),
      await group.heartbeat('m2', { memberEpoch: -1 }),
      await group.heartbeat('m1', first),
    ];
  },
  'standby tasks': async (group) => {
    await group.configure('streams.num.standby.replicas', '1');
    await group.createTopic('in', 1);
    await group.createTopic('log', 1);
    const first = join(group, { sourceTopics: ['in'], stateChangelogTopics: [{ name: 'log' }] });
    return [
      await group.heartbeat('m1', first),
      await group.heartbeat('m2', first),
      await group.heartbeat('m3', { ...first, processId: 'process-2' }),
      await group.describe(),
      await group.configure('streams.num.standby.replicas', '0'),
      await group.heartbeat('m1', { memberEpoch: 2, ...owning(0) }),
      await group.heartbeat('m3', {
        memberEpoch: 4,
        ...owning(),
        standbyTasks: [{ subtopologyId: '0', partitions: [0] }],
      }),
      await group.heartbeat('m3', { memberEpoch: 4, ...owning() }),
    ];
  },
  'topics that grow, go and come back': async (group) => {
    await started(group);
    await group.addPartitions(group.name('in'), 3);
    const grown = await group.heartbeat('m1', { memberEpoch: 2, ...owning(0, 1) });
    await group.deleteTopic(group.name('in'));
    const gone = await group.heartbeat('m1', { memberEpoch: 3, ...owning(0, 1, 2) });
    const described = await group.describe();
    const without = await group.heartbeat('m1', { memberEpoch: 3, ...owning() });
    await group.createTopic('in', 1);
    const back = await group.heartbeat('m1', { memberEpoch: 4, ...owning() });
    return [grown, gone, described, without, back];
  },
  'the delay of the first assignment': async (group) => {
    await group.configure('streams.initial.rebalance.delay.ms', '600000');
    await group.createTopic('in', 2);
    const first = join(group, { sourceTopics: ['in'] });
    return [
      await group.heartbeat('m1', first),
      await group.describe(),
      await group.heartbeat('m1', { memberEpoch: 1, ...owning() }),
      await group.heartbeat('m2', { ...first, processId: 'process-2' }),
      await group.heartbeat('m2', { memberEpoch: -1 }),
    ];
  },
  'the interval of assignments': async (group) => {
    await group.configure('streams.assignment.interval.ms', '15000');
    const first = await started(group);
    return [await group.heartbeat('m2', { ...first, processId: 'process-2' }), await group.describe()];
  },
};

const offsets: Record<string, Scenario> = {
  'commits of members': async (group) => {
    const first = await started(group);
    const topic = group.name('in');
    const before = [
      await group.commit('m1', 2, topic, [0, 1]),
      await group.commit('m1', 3, topic, [0]),
      await group.commit('m1', 1, topic, [0]),
      await group.commit('m1', 1, group.name('other'), [0]),
      await group.commit('m2', 2, topic, [0]),
      await group.commit('', -1, topic, [0]),
      await group.commit('m1', 2, topic, [0], 8),
      await group.fetch('m1', 2, topic),
      await group.fetch('m1', 1, topic),
      await group.fetch('m2', 2, topic),
      await group.fetch(null, -1, topic),
      await group.deleteOffsets(topic),
      await group.deleteOffsets(group.name('other')),
      await group.delete(),
    ];
    await group.heartbeat('m2', { ...first, processId: 'process-2' });
    await group.heartbeat('m1', { memberEpoch: 2, ...owning(0, 1) });
    const amid = [await group.commit('m1', 2, topic, [0, 1])];
    await group.heartbeat('m1', { memberEpoch: 2, ...owning(0) });
    const after = [
      await group.commit('m1', 2, topic, [0]),
      await group.commit('m1', 2, topic, [0, 1]),
      await group.commit('m2', 3, topic, [1]),
    ];
    await group.heartbeat('m1', { memberEpoch: -1 });
    await group.heartbeat('m2', { memberEpoch: -1 });
    const empty = [
      await group.commit('', -1, topic, [0]),
      await group.commit('m1', 2, topic, [0]),
      await group.fetch(null, -1, topic),
      await group.deleteOffsets(topic),
      await group.delete(),
      await group.fetch(null, -1, topic),
    ];
    return { before, amid, after, empty };
  },
};

const otherKinds: Record<string, Scenario> = {
  'a classic member in a streams group': async (group) => {
    await started(group);
    const full = await group.joinClassic();
    const described = await group.describeClassic();
    await group.heartbeat('m1', { memberEpoch: -1 });
    return { full, described, empty: await group.joinClassic(), after: await group.describe() };
  },
  'a streams member in a classic group': async (group) => {
    await group.joinClassic();
    return [
      await group.heartbeat('m1', join(group, { sourceTopics: ['in'] })),
      await group.heartbeat('m1', { memberEpoch: 1, ...owning() }),
      await group.heartbeat('m1', { memberEpoch: -1 }),
    ];
  },
  'a streams member where there are only offsets': async (group) => {
    await group.createTopic('in', 2);
    await group.commit('', -1, group.name('in'), [0]);
    return [
      await group.heartbeat('m1', join(group, { sourceTopics: ['in'] })),
      await group.fetch(null, -1, group.name('in')),
      await group.describe(),
    ];
  },
  'states in lists': async (group) => {
    await group.heartbeat('m1', join(group, { sourceTopics: ['in'] }));
    return [
      await group.listed(),
      await group.listed('NotReady'),
      await group.listed('not_ready'),
      await group.listed('Stable'),
    ];
  },
};

/**
 * A member with an endpoint whose source topics are not there yet: Apache Kafka 4.3.1 fails over it (docs/decisions/0013), and
 * odradek answers as it does to a member without one.
 */
export const endpointWithoutTopics: Scenario = async (group) => {
  const userEndpoint = { host: 'h', port: 1 };
  const { errorCode, status } = await group.heartbeat('m1', { ...join(group, { sourceTopics: ['in'] }), userEndpoint });
  return { errorCode, status };
};

/** Scenarios of groups whose answers follow from the requests alone. */
export const scenarios: readonly (readonly [name: string, run: Scenario])[] = Object.entries({
  ...requests,
  ...topologies,
  ...lives,
  ...offsets,
  ...otherKinds,
});
