import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  ConfigResourceTypes,
  ResourcePatternTypes,
} from 'kafkajs';
import { expect, it } from 'vitest';
import { describeBrokers } from '../describe-brokers.ts';
import { eventually, onceKnown, pastMs, times, uniqueName } from '../helpers.ts';
import { consumeAll, useKafkajs } from './clients.ts';

describeBrokers('kafkajs administers', (broker) => {
  const clients = useKafkajs(() => broker.bootstrapServers);

  it('creates, lists, grows and deletes topics', async () => {
    const topic = uniqueName('life');
    const admin = await clients.admin();
    expect(await admin.createTopics({ topics: [{ topic, numPartitions: 2, replicationFactor: 1 }] })).toBe(true);
    expect(await admin.listTopics()).toContain(topic);
    expect(await admin.createTopics({ topics: [{ topic }] })).toBe(false);
    await admin.createPartitions({ topicPartitions: [{ topic, count: 5 }] });
    await onceKnown(broker, async () => {
      const [metadata] = (await admin.fetchTopicMetadata({ topics: [topic] })).topics;
      expect(metadata.partitions.map((p) => p.partitionId).sort()).toEqual([0, 1, 2, 3, 4]);
      expect(metadata.partitions[0]).toMatchObject({ partitionErrorCode: 0, leader: 1, replicas: [1], isr: [1] });
    });
    await admin.deleteTopics({ topics: [topic] });
    await eventually(async () => !(await admin.listTopics()).includes(topic));
    await expect(admin.fetchTopicMetadata({ topics: [topic] })).rejects.toMatchObject({
      type: 'UNKNOWN_TOPIC_OR_PARTITION',
    });
  });

  it('only checks with validateOnly', async () => {
    const topic = uniqueName('checked');
    const admin = await clients.admin();
    await admin.createTopics({ validateOnly: true, waitForLeaders: false, topics: [{ topic, numPartitions: 3 }] });
    expect(await admin.listTopics()).not.toContain(topic);
    await admin.createTopics({ topics: [{ topic }] });
    await admin.createPartitions({ validateOnly: true, topicPartitions: [{ topic, count: 9 }] });
    expect((await admin.fetchTopicMetadata({ topics: [topic] })).topics[0].partitions).toHaveLength(1);
  });

  it('places replicas as asked, on the one node there is', async () => {
    const topic = uniqueName('placed');
    const admin = await clients.admin();
    const replicaAssignment = times(3, (partition) => ({ partition, replicas: [1] }));
    await admin.createTopics({ topics: [{ topic, replicaAssignment }] });
    expect((await admin.fetchTopicMetadata({ topics: [topic] })).topics[0].partitions).toHaveLength(3);
  });

  it('describes the cluster', async () => {
    const admin = await clients.admin();
    const cluster = await admin.describeCluster();
    const [host, port] = broker.bootstrapServers.split(':');
    expect(cluster.brokers).toEqual([{ nodeId: 1, host, port: Number(port) }]);
    expect(cluster.controller).toBe(1);
    expect(cluster.clusterId).toMatch(/^[A-Za-z0-9_-]{22}$/);
  });

  it('describes and alters the configuration of a topic', async () => {
    const topic = uniqueName('configured');
    const admin = await clients.admin();
    await admin.createTopics({ topics: [{ topic, configEntries: [{ name: 'cleanup.policy', value: 'compact' }] }] });
    const describe = async (...configNames: string[]) => {
      const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames }];
      return (await admin.describeConfigs({ includeSynonyms: true, resources })).resources[0].configEntries;
    };
    const [policy] = await describe('cleanup.policy');
    expect(policy).toMatchObject({
      configName: 'cleanup.policy',
      configValue: 'compact',
      configSource: 1,
      readOnly: false,
    });
    expect(policy.configSynonyms.map((s) => s.configSource)).toEqual([1, 5]);
    const configEntries = [{ name: 'retention.ms', value: '60000' }];
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }],
    });
    // The old AlterConfigs replaces: what is not named falls back to its default.
    await onceKnown(broker, async () => {
      const altered = await describe('cleanup.policy', 'retention.ms');
      expect(Object.fromEntries(altered.map((e) => [e.configName, [e.configValue, e.configSource]]))).toEqual({
        'cleanup.policy': ['delete', 5],
        'retention.ms': ['60000', 1],
      });
    });
    expect((await describe()).length).toBeGreaterThan(25);
  });

  it('describes the configuration of the broker', async () => {
    const admin = await clients.admin();
    const resources = [{ type: ConfigResourceTypes.BROKER, name: '1', configNames: ['node.id', 'num.partitions'] }];
    const { resources: described } = await admin.describeConfigs({ includeSynonyms: false, resources });
    const entries = Object.fromEntries(described[0].configEntries.map((e) => [e.configName, e]));
    expect(entries['node.id']).toMatchObject({ configValue: '1', readOnly: true, isSensitive: false });
    expect(entries['num.partitions']).toMatchObject({ configValue: '1', readOnly: true });
  });

  it('gives offsets of a topic, by end, by beginning and by time', async () => {
    const topic = uniqueName('times');
    const producer = await clients.producer();
    const messages = times(5, (i) => ({ value: String(i), timestamp: String(pastMs + i * 1000) }));
    for (const message of messages) await producer.send({ topic, messages: [message] });
    const admin = await clients.admin();
    expect(await admin.fetchTopicOffsets(topic)).toEqual([{ partition: 0, offset: '5', high: '5', low: '0' }]);
    const at = (timestamp: number) => admin.fetchTopicOffsetsByTimestamp(topic, timestamp);
    expect(await at(pastMs + 2000)).toEqual([{ partition: 0, offset: '2' }]);
    expect(await at(pastMs + 2001)).toEqual([{ partition: 0, offset: '3' }]);
    expect(await at(1)).toEqual([{ partition: 0, offset: '0' }]);
    expect(await at(pastMs + 86_400_000)).toEqual([{ partition: 0, offset: '5' }]);
  });

  it('sets, resets and reads the offsets of a group', async () => {
    const topic = uniqueName('set');
    const groupId = uniqueName('g');
    const producer = await clients.producer();
    await producer.send({ topic, messages: times(10, (i) => ({ value: String(i) })) });
    const admin = await clients.admin();
    const committed = async () => (await admin.fetchOffsets({ groupId, topics: [topic] }))[0].partitions[0].offset;
    expect(await committed()).toBe('-1');
    // kafkajs sets offsets as a member of the group, which takes it several seconds.
    await admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '4' }] });
    expect(await committed()).toBe('4');
    await admin.resetOffsets({ groupId, topic, earliest: true });
    expect((await admin.fetchOffsets({ groupId, topics: [topic], resolveOffsets: true }))[0].partitions[0].offset).toBe(
      '0',
    );
    expect((await admin.fetchOffsets({ groupId })).map((t) => t.topic)).toEqual([topic]);
  });

  it('deletes the records before an offset', async () => {
    const topic = uniqueName('cut');
    const producer = await clients.producer();
    await producer.send({ topic, messages: times(10, (i) => ({ value: String(i) })) });
    const admin = await clients.admin();
    // kafkajs looks for the leader among the topics that it has asked for already.
    expect(await admin.fetchTopicOffsets(topic)).toEqual([{ partition: 0, offset: '10', high: '10', low: '0' }]);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '6' }] });
    expect(await admin.fetchTopicOffsets(topic)).toEqual([{ partition: 0, offset: '10', high: '10', low: '6' }]);
    const received = await consumeAll(await clients.consumer({ groupId: uniqueName('g') }), [topic], 4);
    expect(received.map((r) => r.message.offset)).toEqual(['6', '7', '8', '9']);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '-1' }] });
    expect((await admin.fetchTopicOffsets(topic))[0].low).toBe('10');
    const beyond = admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '11' }] });
    await expect(beyond).rejects.toMatchObject({
      cause: { partitions: [{ partition: 0, offset: '11', error: { type: 'OFFSET_OUT_OF_RANGE' } }] },
    });
  });

  it('deletes groups that are empty, and says why it does not delete others', async () => {
    const topic = uniqueName('t');
    const groupId = uniqueName('g');
    const missing = uniqueName('missing');
    await (await clients.producer()).send({ topic, messages: [{ value: 'x' }] });
    const admin = await clients.admin();
    const consumer = await clients.consumer({ groupId });
    await consumeAll(consumer, [topic], 1);
    const refused = await admin.deleteGroups([groupId, missing]).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      groups: expect.arrayContaining([
        expect.objectContaining({ groupId, error: expect.objectContaining({ type: 'NON_EMPTY_GROUP' }) }),
        expect.objectContaining({ groupId: missing, error: expect.objectContaining({ type: 'GROUP_ID_NOT_FOUND' }) }),
      ]),
    });
    await consumer.disconnect();
    expect(await admin.deleteGroups([groupId])).toMatchObject([{ groupId, errorCode: 0 }]);
    expect((await admin.listGroups()).groups.map((g) => g.groupId)).not.toContain(groupId);
  });

  it('answers ACL requests with SECURITY_DISABLED, since no authorizer is set', async () => {
    const admin = await clients.admin();
    const acl = {
      resourceType: AclResourceTypes.TOPIC,
      resourceName: 'any',
      resourcePatternType: ResourcePatternTypes.LITERAL,
      principal: 'User:someone',
      host: '*',
      operation: AclOperationTypes.READ,
      permissionType: AclPermissionTypes.ALLOW,
    };
    const disabled = { type: 'SECURITY_DISABLED' };
    await expect(admin.createAcls({ acl: [acl] })).rejects.toMatchObject(disabled);
    await expect(admin.describeAcls(acl)).rejects.toMatchObject(disabled);
    await expect(admin.deleteAcls({ filters: [acl] })).rejects.toMatchObject(disabled);
  });

  it('lists no reassignment, and takes one onto the node that has the replica already', async () => {
    const topic = uniqueName('move');
    const admin = await clients.admin();
    await admin.createTopics({ topics: [{ topic }] });
    expect(await admin.listPartitionReassignments({ topics: [{ topic, partitions: [0] }] })).toMatchObject({
      topics: [],
    });
    const move = (replicas: number[]) =>
      admin.alterPartitionReassignments({ topics: [{ topic, partitionAssignment: [{ partition: 0, replicas }] }] });
    await move([1]);
    await expect(move([1, 2])).rejects.toMatchObject({
      errors: [{ type: 'INVALID_REPLICA_ASSIGNMENT', topic, partition: 0 }],
    });
  });
});
