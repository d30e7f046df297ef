import type { StartedTestContainer } from 'testcontainers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { times, uniqueName } from '../helpers.ts';
import { consumeAll, textOf, useKafkajs } from '../kafkajs/clients.ts';
import { registerCodecs } from '../kafkajs/codecs.ts';
import { freePortPair } from '../ports.ts';
import {
  type ContainerOptions,
  type Engine,
  findEngine,
  type Image,
  imageUnderTest,
  startContainer,
  stopContainer,
} from './image.ts';

registerCodecs();
const engine = await findEngine();

describe('the container image', () => {
  if (engine === undefined) it.skip('SKIPPED, no Docker engine answers here', () => {});
  else suite(engine);
});

const BUILD_TIMEOUT_MS = 600_000;
const TOPIC = 2;
const BROKER = 4;

function suite(engine: Engine): void {
  const volume = uniqueName('odradek-test');
  const running: StartedTestContainer[] = [];
  const undo: (() => Promise<unknown>)[] = [];
  let image: Image;
  let port: number;
  const clients = useKafkajs(() => `localhost:${port}`);

  const start = async (options: Partial<ContainerOptions> = {}): Promise<void> => {
    running.push(await startContainer({ image, port, volume, ...options }));
  };
  const stop = (): Promise<number> => stopContainer(engine, running.pop() as StartedTestContainer);

  beforeAll(async () => {
    image = await imageUnderTest(engine);
    undo.push(image.remove);
    port = await freePortPair();
    await engine.container.dockerode.createVolume({ Name: volume });
    undo.push(() => engine.container.dockerode.getVolume(volume).remove());
  }, BUILD_TIMEOUT_MS);
  afterAll(async () => {
    for (const container of running.splice(0)) await container.stop();
    for (const step of undo.reverse()) await step();
  });

  const configOf = async (type: number, name: string, config: string): Promise<string> => {
    const admin = await clients.admin();
    const resources = [{ type, name, configNames: [config] }];
    const described = await admin.describeConfigs({ includeSynonyms: false, resources });
    return described.resources[0].configEntries[0].configValue;
  };

  it('takes KAFKA_* variables, CLUSTER_ID and --set; serves on localhost', async () => {
    const clusterId = 'aW1hZ2UtdGVzdC1pbWFnZQ';
    await start({
      environment: { KAFKA_NUM_PARTITIONS: '3', KAFKA_COMPRESSION_TYPE: 'lz4', CLUSTER_ID: clusterId },
      command: ['--set', 'log.retention.hours=1'],
    });
    const admin = await clients.admin();
    const { clusterId: served, brokers } = await admin.describeCluster();
    expect({ served, brokers }).toEqual({ served: clusterId, brokers: [{ nodeId: 1, host: 'localhost', port }] });
    expect(await configOf(BROKER, '1', 'num.partitions')).toBe('3');
    await admin.createTopics({ topics: [{ topic: 'kept', numPartitions: -1 }] });
    expect(await configOf(TOPIC, 'kept', 'retention.ms')).toBe('3600000');
    expect(await configOf(TOPIC, 'kept', 'compression.type')).toBe('lz4');
  });

  it('runs without privileges', async () => {
    const { output } = await running[0].exec(['id', '-un']);
    expect(output.trim()).toBe('node');
  });

  // Both topics make the broker compress, which needs the packages with native code.
  it('stores and serves what kafkajs sends', async () => {
    const admin = await clients.admin();
    const configEntries = [{ name: 'compression.type', value: 'snappy' }];
    await admin.createTopics({ topics: [{ topic: 'snappy', numPartitions: 1, configEntries }] });
    const producer = await clients.producer();
    const messages = times(30, (i) => ({ key: String(i), value: `message ${i}` }));
    await producer.sendBatch({ topicMessages: ['kept', 'snappy'].map((topic) => ({ topic, messages })) });
    const received = await consumeAll(await clients.consumer({ groupId: 'readers' }), ['kept', 'snappy'], 60);
    expect(new Set(received.map(textOf))).toEqual(new Set(messages.map(({ value }) => value)));
  });

  it('ends with 0 soon after docker stop', async () => {
    const began = performance.now();
    expect(await stop()).toBe(0);
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it('finds its data again on the volume, under a server.properties of its own', async () => {
    const content = [
      ...['process.roles=broker,controller', 'node.id=1', 'controller.listener.names=CONTROLLER'],
      ...['controller.quorum.voters=1@localhost:9093', 'listeners=PLAINTEXT://:9092,CONTROLLER://localhost:9093'],
      ...['log.dirs=/var/lib/odradek/data', 'offsets.topic.replication.factor=1', 'num.partitions=5', ''],
    ].join('\n');
    const target = '/etc/odradek/server.properties';
    await start({ command: ['--host', '0.0.0.0', '--config', target], files: [{ content, target }] });
    expect(await configOf(BROKER, '1', 'num.partitions')).toBe('5');
    const received = await consumeAll(await clients.consumer({ groupId: 'others' }), ['kept'], 30);
    expect(received).toHaveLength(30);
    const producer = await clients.producer();
    await producer.send({ topic: 'kept', messages: [{ value: 'and more' }] });
  });
}
