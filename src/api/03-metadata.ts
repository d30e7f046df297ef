import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { MetadataRequest, MetadataResponse } from '../../protocol/messages/03-metadata.ts';
import { METADATA_TOPIC } from '../../protocol/metadata-topic.ts';
import type { InputOf, MessageOf } from '../../protocol/schema.ts';
import { ZERO_UUID } from '../../protocol/uuid.ts';
import type { TopicImage } from '../controller/image.ts';
import { topicNameProblem } from '../controller/topic-names.ts';
import { isInternalTopic } from '../coordinator/topics.ts';
import { CLUSTER_OPERATIONS, NOT_ASKED, TOPIC_OPERATIONS } from '../security/authorized-operations.ts';
import { handler, type RequestContext } from './handler.ts';

type Request = MessageOf<typeof MetadataRequest>;
type Response = InputOf<typeof MetadataResponse>;
type TopicResponse = NonNullable<Response['topics']>[number];

/** Topics by id (KIP-516); versions 10 and 11 have the field, but nothing may be asked with it. */
const BY_ID_SINCE = 12;

/** Metadata: brokers and topics; creates topics on demand and answers once they can be produced to. */
export const metadata = handler({
  request: MetadataRequest,
  response: MetadataResponse,
  versions: [0, 13],

  handle(context, request) {
    checkTopics(context, request);
    const missing = request.allowAutoTopicCreation ? creatable(context, request) : [];
    if (missing.length === 0) return answer(context, request);
    return context.broker.controller.ensureTopics(missing).then(() => answer(context, request));
  },

  failed: (request, errorCode) => ({
    brokers: [],
    topics: (request.topics ?? []).map(({ name, topicId }) => ({
      errorCode,
      name: name ?? '',
      topicId,
      partitions: [],
    })),
    errorCode,
  }),
});

/** Throws KafkaError where a topic is asked for in a way that the version does not know, or in none at all. */
function checkTopics({ apiVersion }: RequestContext, request: Request): void {
  const topics = request.topics ?? [];
  const byId = asksById(request);
  if (apiVersion < BY_ID_SINCE) {
    if (byId || topics.some(({ name }) => name === null)) throw new KafkaError('INVALID_REQUEST');
  } else if (!byId && topics.some(({ name }) => name === null)) throw new KafkaError('UNKNOWN_SERVER_ERROR');
}

/** Topics to be created because somebody asked for them by name; the metadata log is no topic. */
function creatable(context: RequestContext, request: Request): string[] {
  if (!context.broker.config().get('auto.create.topics.enable') || asksById(request)) return [];
  const image = context.broker.image();
  return wantedNames(request).filter((name) => name !== METADATA_TOPIC && image.topic(name) === undefined);
}

function answer(context: RequestContext, request: Request): Response {
  const { broker } = context;
  return {
    brokers: broker.endpoints(context.connection.listenerName),
    clusterId: broker.clusterId,
    controllerId: broker.nodeId,
    topics: topics(context, request),
    clusterAuthorizedOperations: request.includeClusterAuthorizedOperations ? CLUSTER_OPERATIONS : NOT_ASKED,
  };
}

/** The topics asked for, each once. Whatever kept one from being created: it is not there. */
function topics(context: RequestContext, request: Request): TopicResponse[] {
  const image = context.broker.image();
  if (wantsAll(context, request)) return [...image.topics()].map((topic) => describe(topic, request));
  if (asksById(request)) {
    return wantedIds(request).map((id) => {
      const topic = image.topicById(id);
      return topic === undefined ? unknownId(id) : describe(topic, request);
    });
  }
  return wantedNames(request).map((name) => {
    const topic = image.topic(name);
    return topic === undefined ? unknownName(name, request) : describe(topic, request);
  });
}

/** Where one topic is asked for by id, all are: the names beside ids are left out, or empty (Java's consumers). */
const asksById = (request: Request): boolean => (request.topics ?? []).some(({ topicId }) => topicId !== ZERO_UUID);

const wantedIds = (request: Request): string[] => [
  ...new Set((request.topics ?? []).map(({ topicId }) => topicId).filter((id) => id !== ZERO_UUID)),
];

const wantedNames = (request: Request): string[] => [
  ...new Set((request.topics ?? []).map(({ name }) => name).filter((name) => name !== null)),
];

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
    topicAuthorizedOperations: operations(request),
  };
}

/** What one may do to a topic is a matter of its name: it is said of topics that there are not as well. */
const operations = (request: Request): number =>
  request.includeTopicAuthorizedOperations ? TOPIC_OPERATIONS : NOT_ASKED;

const unknownName = (name: string, request: Request): TopicResponse => ({
  errorCode: absence(name),
  name,
  topicId: ZERO_UUID,
  isInternal: isInternalTopic(name),
  partitions: [],
  topicAuthorizedOperations: operations(request),
});

const unknownId = (topicId: string): TopicResponse => ({
  errorCode: ErrorCode.UNKNOWN_TOPIC_ID,
  name: null,
  topicId,
  partitions: [],
});
