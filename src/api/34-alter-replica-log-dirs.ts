import { ErrorCode } from '../../protocol/errors.ts';
import {
  AlterReplicaLogDirsRequest,
  AlterReplicaLogDirsResponse,
} from '../../protocol/messages/34-alter-replica-log-dirs.ts';
import type { MessageOf } from '../../protocol/schema.ts';
import type { Broker } from './broker.ts';
import { ByPartition } from './by-partition.ts';
import { handler } from './handler.ts';
import { missingPartition } from './missing-partition.ts';
import { answerFor } from './partition-failure.ts';

type Request = MessageOf<typeof AlterReplicaLogDirsRequest>;
type Outcome = (broker: Broker, path: string, topic: string, index: number) => number;

/** AlterReplicaLogDirs (KIP-113): moves replicas to other log directories, in the background. */
export const alterReplicaLogDirs = handler({
  request: AlterReplicaLogDirsRequest,
  response: AlterReplicaLogDirsResponse,
  versions: [1, 2],

  handle: (context, request) => ({
    results: byTopic(request, (path, topic, index) => move(context.broker, path, topic, index)),
  }),

  failed: (request, errorCode) => ({ results: byTopic(request, () => errorCode) }),
});

/** Each partition once, with the last directory that is asked for. */
function byTopic({ dirs }: Request, codeOf: (path: string, topic: string, index: number) => number) {
  const paths = new ByPartition<string>();
  for (const { path, topics } of dirs) {
    for (const { name, partitions } of topics) for (const index of partitions) paths.set(name, index, path);
  }
  return [...paths.topics].map(([topicName, ofTopic]) => ({
    topicName,
    partitions: [...ofTopic].map(([partitionIndex, path]) => ({
      partitionIndex,
      errorCode: codeOf(path, topicName, partitionIndex),
    })),
  }));
}

const move: Outcome = (broker, path, topic, index) => {
  const directories = broker.partitions.directories();
  const directory = directories.find((dir) => dir.path === path);
  if (directory === undefined) return ErrorCode.LOG_DIR_NOT_FOUND;
  if (directory.isOffline) return ErrorCode.KAFKA_STORAGE_ERROR;
  const partition = broker.partitions.get(topic, index);
  if (partition === undefined) return missing(broker, topic, index);
  // with one offline nobody knows whether another move of this partition has begun there
  if (partition.isOffline || directories.some((dir) => dir.isOffline)) return ErrorCode.KAFKA_STORAGE_ERROR;
  const begin = (): number => {
    broker.replicaMoves.alter(partition, path);
    return ErrorCode.NONE;
  };
  return answerFor(broker, partition, begin, (errorCode) => errorCode);
};

/** This API says it in its own way, for old clients. */
function missing(broker: Broker, topic: string, index: number): number {
  const code = missingPartition(broker, topic, index);
  return code === ErrorCode.NOT_LEADER_OR_FOLLOWER ? ErrorCode.REPLICA_NOT_AVAILABLE : code;
}
