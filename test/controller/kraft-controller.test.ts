import { describe, expect, it } from 'vitest';
import { KraftController } from '../../src/controller/kraft-controller.ts';
import { systemClock, systemRandom } from '../../src/system-env.ts';
import { MemoryDisk } from '../../storage/index.ts';
import { brokerConfig } from '../config/samples.ts';
import { CollectingLogger } from '../support/loggers.ts';

const config = brokerConfig();
const disk = () => new MemoryDisk();

async function open(on: MemoryDisk): Promise<KraftController> {
  on.makeDir('/data');
  const controller = await KraftController.open({
    disk: on,
    dir: '/data',
    nodeId: 1,
    directoryId: systemRandom.uuid(),
    config: () => config,
    clock: systemClock,
    random: systemRandom,
    logger: new CollectingLogger(),
  });
  await controller.registerBroker({ endpoints: [], rack: null, directories: [systemRandom.uuid()] });
  return controller;
}

describe('the controller', () => {
  it('answers a change when its listeners have seen it', async () => {
    const controller = await open(disk());
    const seen: string[] = [];
    controller.subscribe(async (_image, delta) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      seen.push(...delta.createdTopics);
    });
    await Promise.all([controller.ensureTopics(['a']), controller.ensureTopics(['b'])]);
    expect(seen).toEqual(['a', 'b']);
    await controller.close();
  });

  it('fails the change that a listener fails on, and no later one', async () => {
    const controller = await open(disk());
    controller.subscribe((_image, delta) => {
      if (delta.createdTopics.has('bad')) throw new Error('no room');
    });
    await expect(controller.ensureTopics(['bad'])).rejects.toThrow('no room');
    expect((await controller.ensureTopics(['good'])).get('good')).toBe(0);
    expect(controller.image.topic('good')).toBeDefined();
    await controller.close();
  });

  it('has its topics, configurations, features and producer ids again after a restart, in a later epoch', async () => {
    const on = disk();
    const first = await open(on);
    await first.ensureTopics(['kept', '__consumer_offsets']);
    const { firstProducerId } = await first.allocateProducerIds();
    const { leaderEpoch } = first.quorum();
    const features = [...first.image.features];
    await first.close();
    const second = await open(on);
    expect(second.quorum().leaderEpoch).toBe(leaderEpoch + 1);
    expect(second.image.topic('kept')?.id).toBe(first.image.topic('kept')?.id);
    expect(second.image.configs(2, '__consumer_offsets').get('cleanup.policy')).toBe('compact');
    expect([...second.image.features]).toEqual(features);
    expect((await second.allocateProducerIds()).firstProducerId).toBe(firstProducerId + 1000);
    await second.close();
  });
});
