import { describe, expect, test } from 'vitest';
import type { BrokerImage, PartitionImage, TopicImage } from '../../src/controller/image.ts';
import { MetadataImage } from '../../src/controller/image.ts';
import { metadataHash } from '../../src/group/metadata-hash.ts';

const A = 'AAECAwQFBgcICQoLDA0ODw';
const B = '_-7dzLuqmYh3ZlVEMyIRAA';
const C = 'mYh3ZlVEMyIRAP_u3cy7qg';

type Racks = readonly (string | null)[];

/** Partition p has the replicas beginning with the p-th, going around. */
function topic(name: string, id: string, partitionCount: number, replicas: readonly number[] = [1]): TopicImage {
  const partitions = Array.from({ length: partitionCount }, (_, p): PartitionImage => {
    const own = replicas.map((_, i) => replicas[(p + i) % replicas.length]);
    const none = { elr: [], lastKnownElr: [], removingReplicas: [], addingReplicas: [], directories: [] };
    return {
      ...none,
      leader: own[0],
      leaderRecoveryState: 0,
      leaderEpoch: 0,
      partitionEpoch: 0,
      replicas: own,
      isr: own,
    };
  });
  return { name, id, partitions };
}

/** Brokers 1, 2, ... with these racks. */
function brokers(racks: Racks): Map<number, BrokerImage> {
  const each = racks.map((rack, i): [number, BrokerImage] => [
    i + 1,
    {
      id: i + 1,
      epoch: 1,
      incarnationId: A,
      endpoints: [],
      features: [],
      rack,
      fenced: false,
      inControlledShutdown: false,
      directories: [],
      cordonedDirectories: [],
    },
  ]);
  return new Map(each);
}

function image(racks: Racks, topics: readonly TopicImage[]): MetadataImage {
  return new MetadataImage({
    ...MetadataImage.EMPTY.fields,
    brokers: brokers(racks),
    topicsByName: new Map(topics.map((t) => [t.name, t])),
    topicsById: new Map(topics.map((t) => [t.id, t])),
  });
}

const t4 = topic('t', A, 4);

/** Recorded from Utils.computeTopicHash and computeGroupHash of kafka-group-coordinator 4.3.1. */
const RECORDED: readonly [string, Racks, readonly TopicImage[], readonly string[], number | bigint][] = [
  ['no topic', [null], [], ['t'], 0],
  ['one partition', [null], [topic('t', A, 1)], ['t'], 6435206218301279590n],
  ['no partition', [null], [topic('t', A, 0)], ['t'], -8022421072916486790n],
  ['one of two topics is there', [null], [t4], ['t', 'u'], 7678108084273604377n],
  [
    'three topics',
    [null],
    [t4, topic('a-rather-long.topic_name', B, 40), topic('B', C, 2)],
    ['t', 'B', 'a-rather-long.topic_name', 't'],
    -3621804855749609931n,
  ],
  ['racks', ['zone-b', 'zone-a', null], [topic('t', A, 3, [1, 2, 3])], ['t'], -5394172572124478627n],
  ['a replica on a broker that is gone', ['zone-b'], [topic('t', A, 3, [1, 2])], ['t'], -6164332257992565411n],
  [
    'many replicas in racks with wide characters',
    ['rä-東', 'zone-a', 'zone-a'],
    [topic('t', A, 30, [1, 2, 3]), topic('u', B, 200, [3, 2])],
    ['t', 'u'],
    -7400792914167434608n,
  ],
];

test.each(RECORDED)('%s: as in Kafka', (_, racks, topics, names, hash) => {
  expect(metadataHash(image(racks, topics), names)).toBe(hash);
});

describe('what is known of a topic', () => {
  const shared = topic('t', A, 3, [1, 2, 3]);

  test('follows the racks of the brokers', () => {
    expect(metadataHash(image(['zone-b', 'zone-a', null], [shared]), ['t'])).toBe(-5394172572124478627n);
    expect(metadataHash(image(['zone-b', 'zone-c', null], [shared]), ['t'])).toBe(-5959722506615416435n);
    expect(metadataHash(image(['zone-b', 'zone-a', null], [shared]), ['t'])).toBe(-5394172572124478627n);
  });

  test('is not computed again where neither topic nor racks have changed', () => {
    let reads = 0;
    const counted = {
      ...shared,
      get partitions() {
        reads++;
        return shared.partitions;
      },
    };
    metadataHash(image(['a', 'b', 'c'], [counted]), ['t']);
    const first = reads;
    metadataHash(image(['a', 'b', 'c'], [counted]), ['t']);
    expect(first).toBeGreaterThan(0);
    expect(reads).toBe(first);
  });
});
