/** What consumers of the classic protocol put into its opaque fields (ConsumerProtocol): a version, then the message. */
import { codec } from '../../../protocol/compile.ts';
import {
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription,
} from '../../../protocol/groups/consumer-protocol.ts';
import { Reader } from '../../../protocol/reader.ts';
import type { MessageOf } from '../../../protocol/schema.ts';
import { Writer } from '../../../protocol/writer.ts';
import type { MetadataImage } from '../../controller/image.ts';
import { listedByName, type Partitions, type TopicPartitions } from './partitions.ts';

/** The newest that is known; of a later one, which begins alike, so much is read. */
const MAX_VERSION = 3;

export type Subscription = MessageOf<typeof ConsumerProtocolSubscription>;

/** Throws MalformedError. */
export function readSubscription(metadata: Buffer): Subscription {
  const reader = new Reader(metadata);
  const version = Math.min(reader.int16(), MAX_VERSION);
  return codec(ConsumerProtocolSubscription, version).read(reader) as Subscription;
}

/** The version in which a member speaks, and is answered. Throws MalformedError. */
export const embeddedVersion = (metadata: Buffer): number => Math.min(new Reader(metadata).int16(), MAX_VERSION);

export interface Assignment {
  readonly partitions: Partitions;
  /** Something for the member that only its own assignor understands. */
  readonly hasUserData: boolean;
}

/** An empty buffer assigns nothing; partitions of topics that do not exist are left out. Throws MalformedError. */
export function readAssignment(image: MetadataImage, assignment: Buffer): Assignment {
  if (assignment.length === 0) return { partitions: new Map(), hasUserData: false };
  const reader = new Reader(assignment);
  const version = Math.min(reader.int16(), MAX_VERSION);
  const { assignedPartitions, userData } = codec(ConsumerProtocolAssignment, version).read(reader);
  const partitions = new Map<string, ReadonlySet<number>>();
  for (const { topic, partitions: indexes } of assignedPartitions) {
    const id = image.topic(topic)?.id;
    if (id !== undefined) partitions.set(id, new Set(indexes));
  }
  return { partitions, hasUserData: userData !== null && userData.length > 0 };
}

/** For a member with this metadata. */
export function writeAssignment(image: MetadataImage, partitions: Partitions, metadata: Buffer): Buffer {
  const version = embeddedVersion(metadata);
  const assignedPartitions = listedByName(image, partitions).map(({ topicName, partitions: indexes }) => ({
    topic: topicName,
    partitions: indexes,
  }));
  const writer = new Writer(128);
  writer.int16(version);
  codec(ConsumerProtocolAssignment, version).write(writer, { assignedPartitions, userData: null });
  return writer.toBuffer();
}

/** What the member says it owns, of topics that exist. */
export function ownedPartitions(image: MetadataImage, { ownedPartitions: owned }: Subscription): TopicPartitions[] {
  const found: TopicPartitions[] = [];
  for (const { topic, partitions } of owned ?? []) {
    const topicId = image.topic(topic)?.id;
    if (topicId !== undefined) found.push({ topicId, partitions });
  }
  return found;
}
