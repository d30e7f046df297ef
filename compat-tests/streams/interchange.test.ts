import { expect, it } from 'vitest';
import { type BrokerName, newHome, removeHome, startBroker } from '../brokers.ts';
import { describeBoth } from '../describe-brokers.ts';
import { joining, owning, topology, WireGroup } from './wire-group.ts';

/** The group, described without what a coordinator knows only after the first heartbeat. */
async function described(group: WireGroup): Promise<unknown> {
  const { groups } = await group.describe();
  return groups;
}

describeBoth('streams groups in a directory of the other broker', () => {
  it.each<[BrokerName, BrokerName]>([
    ['odradek', 'kafka'],
    ['kafka', 'odradek'],
  ])('of %s: %s goes on with them', async (before, after) => {
    const home = await newHome('streams');
    try {
      const first = await startBroker(before, home);
      const group = await WireGroup.open(first, 'x');
      await group.configure('streams.num.standby.replicas', '1');
      const sources = [await group.createTopic('in', 2), await group.createTopic('log', 2)];
      const needy = topology({ sourceTopics: [sources[0]], stateChangelogTopics: [{ name: sources[1] }] });
      const fields = { ...joining(needy), rackId: 'r', clientTags: [{ key: 'zone', value: 'z' }] };
      await group.heartbeat('m1', { ...fields, userEndpoint: { host: 'h', port: 65_000 } });
      await group.heartbeat('m2', { ...fields, processId: 'process-2' });
      await group.heartbeat('m1', { memberEpoch: 2, ...owning(0, 1) });
      await group.commit('m1', 2, sources[0], [0, 1]);
      const there = await described(group);
      await group.close();
      await first.stop();

      const second = await startBroker(after, home);
      const again = await WireGroup.reopen(second, 'x');
      expect(withoutWidths(await described(again))).toEqual(withoutWidths(there));
      expect(await again.fetch(null, -1, sources[0])).toEqual([5, 5]);
      const kept = await again.heartbeat('m1', { memberEpoch: 2, ...owning(0) });
      expect(kept).toMatchObject({ errorCode: 0, memberEpoch: 3, status: [] });
      const given = await again.heartbeat('m2', {
        memberEpoch: 3,
        ...owning(),
        standbyTasks: [{ subtopologyId: '0', partitions: [0] }],
      });
      expect(given).toMatchObject({ memberEpoch: 3, activeTasks: [{ subtopologyId: '0', partitions: [1] }] });
      const last = await again.heartbeat('m1', { memberEpoch: 3, ...owning(0) });
      expect(last).toMatchObject({ memberEpoch: 3, standbyTasks: [{ subtopologyId: '0', partitions: [1] }] });
      expect(JSON.stringify(await described(again))).toContain('"groupState":"Stable"');
      await again.close();
      await second.stop();
    } finally {
      removeHome(home);
    }
  });
});

/** The width of an internal topic is found out with the first heartbeat. */
const withoutWidths = (groups: unknown): unknown =>
  JSON.parse(JSON.stringify(groups, (key, value) => (key === 'stateChangelogTopics' ? [] : value)));
