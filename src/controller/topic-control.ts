/** Topics: created, deleted, given more partitions. What ReplicationControlManager decides in Kafka. */
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import type { CreateTopicsRequest, CreateTopicsResponse } from '../../protocol/messages/19-create-topics.ts';
import type { DeleteTopicsRequest, DeleteTopicsResponse } from '../../protocol/messages/20-delete-topics.ts';
import { ConfigRecord, PartitionRecord, RemoveTopicRecord, TopicRecord } from '../../protocol/metadata/index.ts';
import type { InputOf, MessageOf } from '../../protocol/schema.ts';
import { ZERO_UUID } from '../../protocol/uuid.ts';
import { checkTopicChanges } from '../config/alter.ts';
import { describeTopic } from '../config/describe.ts';
import { type MetadataImage, type PartitionImage, ResourceType, type TopicImage } from './image.ts';
import { assignmentProblem, newPartition, place, usableBrokers } from './placement.ts';
import {
  type ApiError,
  duplicatesIn,
  errorOf,
  MAX_RECORDS_PER_REQUEST,
  type Plan,
  type PlanContext,
  Refused,
} from './plan.ts';
import { type MetadataRecord, record } from './records.ts';
import { hasCollisionChars, topicNameProblem, unifyCollisionChars } from './topic-names.ts';

export type CreatableTopic = MessageOf<typeof CreateTopicsRequest>['topics'][number];
type CreateResult = NonNullable<InputOf<typeof CreateTopicsResponse>['topics']>[number];

export function planCreateTopics(
  context: PlanContext,
  request: MessageOf<typeof CreateTopicsRequest>,
): Plan<InputOf<typeof CreateTopicsResponse>> {
  checkTotal(context, request.topics);
  const records: MetadataRecord[] = [];
  const collisions = collisionTable(context);
  const twice = duplicatesIn(request.topics.map((t) => t.name));
  const topics: CreateResult[] = [];
  for (const topic of request.topics) {
    if (twice.has(topic.name)) {
      if (topics.some((t) => t.name === topic.name)) continue;
      topics.push(refusal(topic.name, { errorCode: ErrorCode.INVALID_REQUEST, errorMessage: 'Duplicate topic name.' }));
      continue;
    }
    try {
      const created = planTopic(context, topic, collisions);
      records.push(...created.records);
      topics.push(created.response);
    } catch (error) {
      topics.push(refusal(topic.name, errorOf(error)));
    }
  }
  if (records.length > MAX_RECORDS_PER_REQUEST) {
    throw new KafkaError('POLICY_VIOLATION', 'Unable to perform excessively large batch operation.');
  }
  return { records: request.validateOnly ? [] : records, response: { topics } };
}

/** A request for too many partitions is refused whole, before anybody looks at the topics. */
function checkTotal({ config }: PlanContext, topics: readonly CreatableTopic[]): void {
  const counts = topics.map(({ assignments, numPartitions }) => {
    if (assignments.length > 0) return assignments.length;
    return numPartitions === -1 ? config.get('num.partitions') : Math.max(0, numPartitions);
  });
  if (counts.reduce((sum, count) => sum + count, 0) <= MAX_RECORDS_PER_REQUEST) return;
  throw new KafkaError('POLICY_VIOLATION', 'Excessively large number of partitions per request.');
}

const refusal = (name: string, error: ApiError): CreateResult => ({
  name,
  ...error,
  numPartitions: -1,
  replicationFactor: -1,
  configs: [],
});

function planTopic(
  context: PlanContext,
  topic: CreatableTopic,
  collisions: ReadonlyMap<string, string>,
): Plan<CreateResult> {
  checkName(context, topic.name, collisions);
  const configs = checkedConfigs(context, topic);
  const partitions = topic.assignments.length > 0 ? manualPartitions(context, topic) : placedPartitions(context, topic);
  const topicId = context.random.uuid();
  const records = [
    record(TopicRecord, { name: topic.name, topicId }),
    ...[...configs].map(([name, value]) =>
      record(ConfigRecord, { resourceType: ResourceType.TOPIC, resourceName: topic.name, name, value }),
    ),
    ...partitions.map((p, partitionId) => partitionRecord(topicId, partitionId, p)),
  ];
  const response = {
    name: topic.name,
    topicId,
    errorCode: 0,
    errorMessage: null,
    topicConfigErrorCode: 0,
    numPartitions: partitions.length,
    replicationFactor: partitions[0].replicas.length,
    configs: configsOf(context, configs),
  };
  return { records, response };
}

/** All configurations of the new topic, by name. */
function configsOf(context: PlanContext, overrides: ReadonlyMap<string, string>): CreateResult['configs'] {
  const entries = describeTopic(context.config, overrides).map((entry) => ({
    name: entry.name,
    value: entry.value,
    readOnly: entry.readOnly,
    configSource: entry.source,
    isSensitive: entry.sensitive,
  }));
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function partitionRecord(topicId: string, partitionId: number, p: PartitionImage): MetadataRecord {
  return record(PartitionRecord, {
    partitionId,
    topicId,
    replicas: p.replicas,
    isr: p.isr,
    removingReplicas: p.removingReplicas,
    addingReplicas: p.addingReplicas,
    leader: p.leader,
    leaderEpoch: p.leaderEpoch,
    partitionEpoch: p.partitionEpoch,
    directories: p.directories,
  });
}

function checkName(context: PlanContext, name: string, collisions: ReadonlyMap<string, string>): void {
  const problem = topicNameProblem(name);
  if (problem !== null) throw new Refused('INVALID_TOPIC_EXCEPTION', problem);
  if (context.image.topic(name) !== undefined)
    throw new Refused('TOPIC_ALREADY_EXISTS', `Topic '${name}' already exists.`);
  const colliding = hasCollisionChars(name) ? collisions.get(unifyCollisionChars(name)) : undefined;
  if (colliding !== undefined) {
    throw new Refused('INVALID_TOPIC_EXCEPTION', `Topic '${name}' collides with existing topic: ${colliding}`);
  }
}

function collisionTable(context: PlanContext): Map<string, string> {
  const table = new Map<string, string>();
  for (const { name } of context.image.topics()) {
    if (hasCollisionChars(name)) table.set(unifyCollisionChars(name), name);
  }
  return table;
}

function checkedConfigs(context: PlanContext, topic: CreatableTopic): ReadonlyMap<string, string> {
  const given = new Map(topic.configs.map(({ name, value }) => [name, value]));
  checkTopicChanges(context.config, given);
  return given as ReadonlyMap<string, string>;
}

function manualPartitions(context: PlanContext, topic: CreatableTopic): PartitionImage[] {
  const prefix = 'A manual partition assignment was specified, but';
  if (topic.replicationFactor !== -1)
    throw new Refused('INVALID_REQUEST', `${prefix} replication factor was not set to -1.`);
  if (topic.numPartitions !== -1) throw new Refused('INVALID_REQUEST', `${prefix} numPartitions was not set to -1.`);
  const partitions: PartitionImage[] = [];
  for (const { partitionIndex, brokerIds } of topic.assignments) {
    if (partitions[partitionIndex] !== undefined) {
      const message = `Found multiple manual partition assignments for partition ${partitionIndex}`;
      throw new Refused('INVALID_REPLICA_ASSIGNMENT', message);
    }
    partitions[partitionIndex] = manualPartition(
      context,
      partitionIndex,
      brokerIds,
      topic.assignments[0].brokerIds.length,
    );
  }
  if (partitions.length !== topic.assignments.length || partitions.includes(undefined as never)) {
    throw new Refused('INVALID_REPLICA_ASSIGNMENT', 'partitions should be a consecutive 0-based integer sequence');
  }
  return partitions;
}

export function manualPartition(
  context: PlanContext,
  index: number,
  brokerIds: readonly number[],
  replicationFactor: number,
) {
  const { image } = context;
  const problem = assignmentProblem(image, brokerIds);
  if (problem !== null) throw new Refused('INVALID_REPLICA_ASSIGNMENT', problem);
  if (brokerIds.length !== replicationFactor) {
    const message = `The manual partition assignment includes a partition with ${brokerIds.length} replica(s), but this is not consistent with previous partitions, which have ${replicationFactor} replica(s).`;
    throw new Refused('INVALID_REPLICA_ASSIGNMENT', message);
  }
  const partition = newPartition(image, brokerIds);
  if (partition.isr.length > 0) return partition;
  const message = `All brokers specified in the manual partition assignment for partition ${index} are fenced or in controlled shutdown.`;
  throw new Refused('INVALID_REPLICA_ASSIGNMENT', message);
}

function placedPartitions(context: PlanContext, topic: CreatableTopic): PartitionImage[] {
  const { config, image } = context;
  if (topic.replicationFactor < -1 || topic.replicationFactor === 0) {
    const message = 'Replication factor must be larger than 0, or -1 to use the default value.';
    throw new Refused('INVALID_REPLICATION_FACTOR', message);
  }
  if (topic.numPartitions < -1 || topic.numPartitions === 0) {
    throw new Refused('INVALID_PARTITIONS', 'Number of partitions was set to an invalid non-positive value.');
  }
  const count = topic.numPartitions === -1 ? config.get('num.partitions') : topic.numPartitions;
  const factor = topic.replicationFactor === -1 ? config.get('default.replication.factor') : topic.replicationFactor;
  return place(brokersFor(context, factor), 0, count, factor).map((replicas) => newPartition(image, replicas));
}

/** Enough usable brokers for the replication factor, or INVALID_REPLICATION_FACTOR in Kafka's words. */
export function brokersFor(context: PlanContext, factor: number) {
  const usable = usableBrokers(context.image);
  const registered = [...context.image.brokers()].length;
  const prefix = `Unable to replicate the partition ${factor} time(s):`;
  if (usable.length === 0)
    throw new Refused('INVALID_REPLICATION_FACTOR', `${prefix} All brokers are currently fenced.`);
  if (factor > registered) {
    const message = `${prefix} The target replication factor of ${factor} cannot be reached because only ${registered} broker(s) are registered or some brokers have all their log directories cordoned.`;
    throw new Refused('INVALID_REPLICATION_FACTOR', message);
  }
  if (factor > usable.length) {
    const message = `${prefix} The target replication factor of ${factor} cannot be reached because only ${usable.length} broker(s) are usable.`;
    throw new Refused('INVALID_REPLICATION_FACTOR', message);
  }
  return usable;
}

type DeleteResult = NonNullable<InputOf<typeof DeleteTopicsResponse>['responses']>[number];

/** The ids of the topics that are asked for by name, once, and by id as well. */
function namedAndById(image: MetadataImage, once: readonly WantedTopic[], all: readonly WantedTopic[]): Set<string> {
  const ids = new Set(all.filter(({ name }) => name === null).map(({ topicId }) => topicId));
  const names = once.filter(({ topicId }) => topicId === ZERO_UUID).map(({ name }) => name);
  const named = names.map((name) => (name === null ? undefined : image.topic(name)?.id));
  return new Set(named.filter((id) => id !== undefined && ids.has(id)) as string[]);
}

const ALREADY_SUPPLIED = {
  errorCode: ErrorCode.INVALID_REQUEST,
  errorMessage: 'The provided topic name maps to an ID that was already supplied.',
};

/** What is named twice is not deleted at all, and told once. */
export function planDeleteTopics(
  context: PlanContext,
  request: MessageOf<typeof DeleteTopicsRequest>,
): Plan<InputOf<typeof DeleteTopicsResponse>> {
  const wanted: WantedTopic[] = [
    ...request.topicNames.map((name) => ({ name, topicId: ZERO_UUID })),
    ...request.topics.map(({ name, topicId }) => ({ name, topicId })),
  ];
  const key = ({ name, topicId }: WantedTopic) => (name === null ? `id ${topicId}` : `name ${name}`);
  const twice = duplicatesIn(wanted.map(key));
  const once = new Map(wanted.map((w) => [key(w), w]));
  const records: MetadataRecord[] = [];
  const responses: DeleteResult[] = [];
  const namedToo = namedAndById(
    context.image,
    [...once].filter(([wantedKey]) => !twice.has(wantedKey)).map(([, w]) => w),
    wanted,
  );
  for (const [wantedKey, w] of once) {
    const isTwice = twice.has(wantedKey);
    // answered once, with the name
    if (w.name === null && !isTwice && namedToo.has(w.topicId)) continue;
    try {
      const topic = deletable(context, w, isTwice);
      if (namedToo.has(topic.id)) {
        responses.push({ ...w, topicId: topic.id, ...ALREADY_SUPPLIED });
        continue;
      }
      records.push(record(RemoveTopicRecord, { topicId: topic.id }));
      responses.push({ name: topic.name, topicId: topic.id, errorCode: 0, errorMessage: null });
    } catch (error) {
      responses.push({ ...w, ...errorOf(error) });
    }
  }
  return { records, response: { responses } };
}

interface WantedTopic {
  readonly name: string | null;
  readonly topicId: string;
}

/** The topic, or why it is not to be deleted. */
function deletable({ image, config }: PlanContext, { name, topicId }: WantedTopic, isTwice: boolean): TopicImage {
  const byName = name !== null;
  const byId = topicId !== ZERO_UUID;
  if (!byName && !byId) throw new Refused('INVALID_REQUEST', 'Neither topic name nor id were specified.');
  if (byName && byId) throw new Refused('INVALID_REQUEST', 'You may not specify both topic name and topic id.');
  if (isTwice) throw new Refused('INVALID_REQUEST', byName ? 'Duplicate topic name.' : 'Duplicate topic id.');
  const topic = byName ? image.topic(name) : image.topicById(topicId);
  if (topic === undefined && byName) {
    throw new Refused('UNKNOWN_TOPIC_OR_PARTITION', 'This server does not host this topic-partition.');
  }
  if (topic === undefined) throw new Refused('UNKNOWN_TOPIC_ID', 'This server does not host this topic ID.');
  if (!config.get('delete.topic.enable')) throw new Refused('TOPIC_DELETION_DISABLED', 'Topic deletion is disabled.');
  return topic;
}
