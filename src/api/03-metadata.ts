import { ErrorCode } from '../../protocol/errors.ts';
import { MetadataRequest, MetadataResponse } from '../../protocol/messages/03-metadata.ts';
import type { InputOf, MessageOf } from '../../protocol/schema.ts';
import { ZERO_UUID } from '../../protocol/uuid.ts';
import type { TopicImage } from '../controller/image.ts';
import { topicNameProblem } from '../controller/topic-names.ts';
import { isInternalTopic } from '../coordinator/topics.ts';
import { CLUSTER_OPERATIONS, NOT_ASKED, TOPIC_OPERATIONS } from '../security/authorized-operations.ts';
import { handler, type RequestContext } from './handler.ts';

type Request = MessageOf<typeof MetadataRequest>;
type Wanted = Pick<NonNullable<Request['topics']>[number], 'name' | 'topicId'>;
type Response = InputOf<typeof MetadataResponse>;
type TopicResponse = NonNullable<Response['topics']>[number];

/** Metadata: brokers and topics; creates topics on demand and answers once they can be produced to. */
export const metadata = handler({
  request: MetadataRequest,
  response: MetadataResponse,
  versions: [0, 13],

  handle(context, request) {
    const missing = request.allowAutoTopicCreation ? creatable(context, request) : [];
    if (missing.length === 0) return answer(context, request, new Map());
    return context.broker.controller.ensureTopics(missing).then((failures) => answer(context, request, failures));
  },

  failed: (request, errorCode) => ({
    brokers: [],
    topics: (request.topics ?? []).map((wanted) => unknown(wanted, errorCode)),
    errorCode,
  }),
});

/** Topics to be created because somebody asked for them by name. */
function creatable(context: RequestContext, request: Request): string[] {
  if (!context.broker.config().get('auto.create.topics.enable') || asksById(request)) return [];
  const image = context.broker.image();
  const names = (request.topics ?? []).map((t) => t.name).filter((name) => name !== null);
  return [...new Set(names)].filter((name) => image.topic(name) === undefined);
}

function answer(context: RequestContext, request: Request, failures: ReadonlyMap<string, number>): Response {
  const { broker } = context;
  const image = broker.image();
  return {
    brokers: broker.endpoints(context.connection.listenerName),
    clusterId: broker.clusterId,
    controllerId: broker.nodeId,
    topics: topics(context, request, failures),
    clusterAuthorizedOperations: request.includeClusterAuthorizedOperations ? CLUSTER_OPERATIONS : NOT_ASKED,
  };

  function topics(context: RequestContext, request: Request, failures: ReadonlyMap<string, number>): TopicResponse[] {
    if (wantsAll(context, request)) return [...image.topics()].map((topic) => describe(topic, request));
    const byId = asksById(request);
    return (request.topics ?? []).map(({ name: given, topicId }) => {
      const name = byId ? null : given;
      const topic = name === null ? image.topicById(topicId) : image.topic(name);
      if (topic !== undefined) return describe(topic, request);
      const failure = name === null ? ErrorCode.UNKNOWN_TOPIC_ID : (failures.get(name) ?? absence(name));
      return unknown({ name, topicId }, failure);
    });
  }
}

/** Where one topic is asked for by id, all are: the names beside ids are left out, or empty (Java's consumers). */
const asksById = (request: Request): boolean => (request.topics ?? []).some(({ topicId }) => topicId !== ZERO_UUID);

/** A name that no topic can have is told from one that no topic has. */
const absence = (name: string): number =>
  topicNameProblem(name) === null ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.INVALID_TOPIC_EXCEPTION;

/** null means all topics; in version 0 the empty list does. */
const wantsAll = (context: RequestContext, request: Request): boolean =>
  request.topics === null || (context.apiVersion === 0 && request.topics.length === 0);

function describe(topic: TopicImage, request: Request): TopicResponse {
  return {
    errorCode: 0,
    name: topic.name,
    topicId: topic.id,
    isInternal: isInternalTopic(topic.name),
    partitions: topic.partitions.map((partition, partitionIndex) => ({
      errorCode: partition.leader < 0 ? ErrorCode.LEADER_NOT_AVAILABLE : 0,
      partitionIndex,
      leaderId: partition.leader,
      leaderEpoch: partition.leaderEpoch,
      replicaNodes: partition.replicas,
      isrNodes: partition.isr,
      offlineReplicas: [],
    })),
    topicAuthorizedOperations: request.includeTopicAuthorizedOperations ? TOPIC_OPERATIONS : NOT_ASKED,
  };
}

function unknown(wanted: Wanted, errorCode: number): TopicResponse {
  return {
    errorCode,
    name: wanted.name,
    topicId: wanted.name === null ? wanted.topicId : ZERO_UUID,
    isInternal: wanted.name !== null && isInternalTopic(wanted.name),
    partitions: [],
    topicAuthorizedOperations: NOT_ASKED,
  };
}
