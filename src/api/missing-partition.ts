import { ErrorCode } from '../../protocol/errors.ts';
import type { TopicImage } from '../controller/image.ts';
import type { Broker } from './broker.ts';

/** Kafka's error for a partition that this broker does not serve (ReplicaManager.getPartitionOrError). */
export function missingPartition(broker: Broker, topic: string, index: number): number {
  return missingOf(broker, broker.image().topic(topic), index) ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
}

/** As `missingPartition`, for a request that names the topic by its id (KIP-516). */
export function missingPartitionById(broker: Broker, topicId: string, index: number): number {
  const topic = broker.image().topicById(topicId);
  if (topic === undefined) return ErrorCode.UNKNOWN_TOPIC_ID;
  return missingOf(broker, topic, index) ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
}

/**
 * As `missingPartitionById`, for a fetch of a topic whose name was known once, empty where it was not: the topic is gone by now, or
 * it is another one under the same name.
 */
export function missingPartitionOnceNamed(broker: Broker, topicId: string, name: string, index: number): number {
  const image = broker.image();
  if (name === '' || image.topicById(topicId) !== undefined) return missingPartitionById(broker, topicId, index);
  const isAnother = image.topic(name)?.partitions[index] !== undefined;
  return isAnother ? ErrorCode.INCONSISTENT_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
}

function missingOf(broker: Broker, topic: TopicImage | undefined, index: number): number | undefined {
  const replicas = topic?.partitions[index]?.replicas;
  if (replicas === undefined) return undefined;
  // a replica of this broker that is not here lies in a log directory that is offline
  return replicas.includes(broker.nodeId) ? ErrorCode.KAFKA_STORAGE_ERROR : ErrorCode.NOT_LEADER_OR_FOLLOWER;
}
