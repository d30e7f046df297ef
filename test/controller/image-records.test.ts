import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ImageFields, MetadataImage, quotaKey, resourceKey } from '../../src/controller/image.ts';
import { imageRecords } from '../../src/controller/image-records.ts';
import { decodeRecord, encodeRecord } from '../../src/controller/records.ts';
import { Replay } from '../../src/controller/replay.ts';
import { World } from './world.ts';

const string = fc.string({ unit: 'grapheme', maxLength: 8 });
const int8 = fc.integer({ min: -128, max: 127 });
const int16 = fc.integer({ min: -32_768, max: 32_767 });
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const int64 = fc.maxSafeNat();
const uuid = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((raw) => Buffer.from(raw).toString('base64url'));
const list = <T>(of: fc.Arbitrary<T>) => fc.array(of, { maxLength: 3 });
const byKey = <K, V>(of: fc.Arbitrary<V>, keyOf: (value: V) => K) =>
  fc.array(of, { maxLength: 5 }).map((all): Map<K, V> => new Map(all.map((v) => [keyOf(v), v])));

const bytes = fc.uint8Array({ maxLength: 20 }).map((b) => Buffer.from(b));
const endpoint = fc.record({ name: string, host: string, port: fc.nat(65_535), securityProtocol: int16 });
const feature = fc.record({ name: string, minSupportedVersion: int16, maxSupportedVersion: int16 });

const partition = fc.record({
  leader: int32,
  leaderRecoveryState: fc.constantFrom(0, 1),
  leaderEpoch: int32,
  partitionEpoch: int32,
  replicas: list(int32),
  isr: list(int32),
  removingReplicas: list(int32),
  addingReplicas: list(int32),
  elr: list(int32),
  lastKnownElr: list(int32),
  directories: list(uuid),
});
const topic = fc.record({ name: string, id: uuid, partitions: list(partition) });
const broker = fc.record({
  id: int32,
  epoch: int64,
  incarnationId: uuid,
  endpoints: list(endpoint),
  features: list(feature),
  rack: fc.option(string),
  fenced: fc.boolean(),
  inControlledShutdown: fc.boolean(),
  directories: list(uuid),
  cordonedDirectories: list(uuid),
});
const controller = fc.record({
  id: int32,
  incarnationId: uuid,
  zkMigrationReady: fc.boolean(),
  endpoints: list(endpoint),
  features: list(feature),
});
const values = <V>(of: fc.Arbitrary<V>) =>
  fc
    .dictionary(string, of, { minKeys: 1, maxKeys: 4 })
    .map((entries): Map<string, V> => new Map(Object.entries(entries)));
const config = fc.record({ type: fc.constantFrom(2, 4, 16, 32), name: string, values: values(string) });
const quota = fc.record({ entity: values(fc.option(string)), values: values(fc.double({ noNaN: true })) });
const credential = fc.record({ salt: bytes, storedKey: bytes, serverKey: bytes, iterations: fc.nat() });
const credentials = fc
  .tuple(fc.option(credential), fc.option(credential))
  .map((both) => both.flatMap((c, i) => (c === null ? [] : [{ mechanism: i + 1, ...c }])))
  .filter((some) => some.length > 0);
const acl = fc.record({
  id: uuid,
  resourceType: int8,
  resourceName: string,
  patternType: int8,
  principal: string,
  host: string,
  operation: int8,
  permissionType: int8,
});
const token = fc.record({
  owner: string,
  requester: string,
  renewers: list(string),
  issueTimestamp: int64,
  maxTimestamp: int64,
  expirationTimestamp: int64,
  tokenId: string,
});

const image: fc.Arbitrary<ImageFields> = fc
  .record({
    topics: fc.uniqueArray(topic, { maxLength: 5, comparator: (a, b) => a.name === b.name || a.id === b.id }),
    brokers: byKey(broker, ({ id }) => id),
    controllers: byKey(controller, ({ id }) => id),
    features: fc
      .tuple(values(fc.integer({ min: 1, max: 32_767 })), fc.boolean())
      .map(([levels, has]) => (has ? levels.set('metadata.version', 30) : levels)),
    configs: byKey(config, ({ type, name }) => resourceKey(type, name)),
    nextProducerId: int64,
    quotas: byKey(quota, ({ entity }) => quotaKey(entity)),
    scram: values(credentials),
    acls: byKey(acl, ({ id }) => id),
    delegationTokens: byKey(token, ({ tokenId }) => tokenId),
    offset: int64,
    leaderEpoch: int32,
    timestampMs: int64,
  })
  .map(({ topics, configs, ...rest }) => ({
    ...rest,
    topicsByName: new Map(topics.map((t) => [t.name, t])),
    topicsById: new Map(topics.map((t) => [t.id, t])),
    configs: new Map([...configs].map(([key, c]) => [key, c.values])),
  }));

/** The image that a reader of the snapshot has. */
function throughRecords(before: MetadataImage): MetadataImage {
  const replay = new Replay(MetadataImage.EMPTY);
  for (const record of imageRecords(before)) replay.apply(decodeRecord(encodeRecord(record)));
  return replay.finish(before.fields).image;
}

const typesIn = (of: MetadataImage) => [...imageRecords(of)].map((r) => `${r.message.name} ${r.version}`);

describe('an image as records', () => {
  it('is the same image when they are replayed', () => {
    fc.assert(
      fc.property(image, (fields) => {
        expect(throughRecords(new MetadataImage(fields)).fields).toEqual(fields);
      }),
      { numRuns: 300 },
    );
  });

  it('is the same image for a cluster that has been worked with', () => {
    const world = new World();
    world.addTopic('b', [1], [1]);
    world.addTopic('a', [1]);
    expect(throughRecords(world.image).fields).toEqual(world.image.fields);
  });

  it('names metadata.version first, then what Kafka has in its order', () => {
    const world = new World();
    world.addTopic('a', [1], [1]);
    const [first] = imageRecords(world.image);
    expect(first.value).toEqual({ name: 'metadata.version', featureLevel: 30 });
    expect([...new Set(typesIn(world.image))]).toEqual([
      'FeatureLevelRecord 0',
      'RegisterBrokerRecord 4',
      'TopicRecord 0',
      'PartitionRecord 2',
      'ConfigRecord 0',
    ]);
  });

  it.each([
    [7, 1, 0],
    [8, 2, 0],
    [17, 3, 1],
    [23, 3, 2],
    [30, 4, 2],
  ])('at metadata.version %i has brokers in version %i and partitions in version %i', (level, broker, partition) => {
    const world = new World();
    world.addTopic('a', [1]);
    const features = new Map([...world.image.features, ['metadata.version', level]]);
    const older = new MetadataImage({ ...world.image.fields, features });
    expect(typesIn(older)).toEqual(
      expect.arrayContaining([`RegisterBrokerRecord ${broker}`, `PartitionRecord ${partition}`]),
    );
    expect(throughRecords(older).topic('a')?.partitions[0]).toMatchObject({ leader: 1, isr: [1] });
  });
});
