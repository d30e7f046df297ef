/**
 * What groups keep of the topics they subscribe to (MetadataHash of ConsumerGroupMetadataValue and its like): one number
 * that changes with a topic's id, name, partitions or the racks of its replicas. Computed as Kafka does, so that either
 * can go on with the groups of the other without rebalancing them.
 */
import type { Int64 } from '../../protocol/int64.ts';
import type { MetadataImage, TopicImage } from '../controller/image.ts';
import { xxh3 } from './xxh3.ts';

/** First byte of what a topic's hash is made of. */
const TOPIC_HASH_VERSION = 0;

/** The hash of a topic where the brokers have these racks. */
interface TopicHash {
  readonly racks: Racks;
  readonly hash: bigint;
}

/** By broker id; equal contents are the same object from one image to the next. */
type Racks = ReadonlyMap<number, string>;

const hashes = new WeakMap<TopicImage, TopicHash>();
const racksOf = new WeakMap<object, Racks>();
let latestRacks: Racks = new Map();

/** The hash over those of the topics that are there; 0 where none is. */
export function metadataHash(image: MetadataImage, topicNames: Iterable<string>): Int64 {
  const topics: TopicImage[] = [];
  for (const name of new Set(topicNames)) {
    const topic = image.topic(name);
    if (topic !== undefined) topics.push(topic);
  }
  if (topics.length === 0) return 0;
  topics.sort((a, b) => (a.name < b.name ? -1 : 1));
  const racks = brokerRacks(image);
  const bytes = Buffer.allocUnsafe(topics.length * 8);
  for (const [i, topic] of topics.entries()) bytes.writeBigUInt64LE(topicHash(topic, racks), i * 8);
  return signed(xxh3(bytes));
}

function topicHash(topic: TopicImage, racks: Racks): bigint {
  const known = hashes.get(topic);
  if (known?.racks === racks) return known.hash;
  const hash = xxh3(topicBytes(topic, racks));
  hashes.set(topic, { racks, hash });
  return hash;
}

function topicBytes(topic: TopicImage, racks: Racks): Buffer {
  const id = Buffer.from(topic.id, 'base64url');
  const parts = [Buffer.of(TOPIC_HASH_VERSION), id.subarray(0, 8).swap64(), id.subarray(8).swap64()];
  parts.push(utf16(topic.name), int32(topic.name.length), int32(topic.partitions.length));
  for (const [i, { replicas }] of topic.partitions.entries()) {
    parts.push(int32(i));
    const partitionRacks = replicas.map((id) => racks.get(id)).filter((rack) => rack !== undefined);
    // the length stands before and behind
    for (const rack of partitionRacks.sort()) parts.push(int32(rack.length), utf16(rack), int32(rack.length));
  }
  return Buffer.concat(parts);
}

function brokerRacks(image: MetadataImage): Racks {
  const { brokers } = image.fields;
  const known = racksOf.get(brokers);
  if (known !== undefined) return known;
  const racks = new Map<number, string>();
  for (const { id, rack } of image.brokers()) if (rack !== null) racks.set(id, rack);
  if (!isEqual(racks, latestRacks)) latestRacks = racks;
  racksOf.set(brokers, latestRacks);
  return latestRacks;
}

function isEqual(a: Racks, b: Racks): boolean {
  if (a.size !== b.size) return false;
  for (const [id, rack] of a) if (b.get(id) !== rack) return false;
  return true;
}

const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le');

function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32LE(value);
  return bytes;
}

/** As a message holds it: a number where that is exact. */
function signed(value: bigint): Int64 {
  const hash = BigInt.asIntN(64, value);
  const asNumber = Number(hash);
  return Number.isSafeInteger(asNumber) ? asNumber : hash;
}
