/** Partitions of topics that exist: more of them (KIP-195), other leaders (KIP-460), other replicas (KIP-455). */
import { ErrorCode } from '../../protocol/errors.ts';
import type {
  CreatePartitionsRequest,
  CreatePartitionsResponse,
} from '../../protocol/messages/37-create-partitions.ts';
import type { ElectLeadersRequest, ElectLeadersResponse } from '../../protocol/messages/43-elect-leaders.ts';
import { PartitionChangeRecord } from '../../protocol/metadata/index.ts';
import type { InputOf, MessageOf } from '../../protocol/schema.ts';
import type { PartitionImage, TopicImage } from './image.ts';
import { newPartition, place, usableBrokers } from './placement.ts';
import {
  type ApiError,
  duplicatesIn,
  errorOf,
  MAX_RECORDS_PER_REQUEST,
  NO_ERROR,
  type Plan,
  type PlanContext,
  Refused,
} from './plan.ts';
import { type MetadataRecord, record } from './records.ts';
import { brokersFor, manualPartition, partitionRecord } from './topic-control.ts';

type PartitionsWanted = MessageOf<typeof CreatePartitionsRequest>['topics'][number];

export function planCreatePartitions(
  context: PlanContext,
  request: MessageOf<typeof CreatePartitionsRequest>,
): Plan<InputOf<typeof CreatePartitionsResponse>> {
  const twice = duplicatesIn(request.topics.map(({ name }) => name));
  const records: MetadataRecord[] = [];
  const refused = { errorCode: ErrorCode.INVALID_REQUEST, errorMessage: 'Duplicate topic name.' };
  const results = [...twice].map((name): ApiError & { name: string } => ({ name, ...refused }));
  for (const wanted of request.topics.filter(({ name }) => !twice.has(name))) {
    try {
      records.push(...newPartitions(context, wanted, MAX_RECORDS_PER_REQUEST - records.length));
      results.push({ name: wanted.name, ...NO_ERROR });
    } catch (error) {
      results.push({ name: wanted.name, ...errorOf(error) });
    }
  }
  return { records: request.validateOnly ? [] : records, response: { results } };
}

function newPartitions(
  context: PlanContext,
  { name, count, assignments }: PartitionsWanted,
  maxAdded: number,
): MetadataRecord[] {
  const topic = context.image.topic(name);
  if (topic === undefined) throw new Refused('UNKNOWN_TOPIC_OR_PARTITION', null);
  const existing = topic.partitions.length;
  checkCount(name, existing, count, maxAdded);
  const factor = topic.partitions[0].replicas.length;
  const added = count - existing;
  if (assignments === null) {
    return place(brokersFor(context, factor), existing, added, factor).map((replicas, i) =>
      partitionRecord(topic.id, existing + i, newPartition(context.image, replicas)),
    );
  }
  if (assignments.length !== added) {
    const message = `Attempted to add ${added} additional partition(s), but only ${assignments.length} assignment(s) were specified.`;
    throw new Refused('INVALID_REPLICA_ASSIGNMENT', message);
  }
  return assignments.map(({ brokerIds }, i) =>
    partitionRecord(topic.id, existing + i, manualPartition(context, existing + i, brokerIds, factor)),
  );
}

/** Kafka creates the first 10,000 partitions of too many and answers UNKNOWN_SERVER_ERROR; here none is created. */
function checkCount(topic: string, existing: number, count: number, maxAdded: number): void {
  if (count === existing) throw new Refused('INVALID_PARTITIONS', `Topic already has ${existing} partition(s).`);
  if (count < existing) {
    const message = `The topic ${topic} currently has ${existing} partition(s); ${count} would not be an increase.`;
    throw new Refused('INVALID_PARTITIONS', message);
  }
  if (count - existing > maxAdded) {
    throw new Refused('POLICY_VIOLATION', 'Excessively large number of partitions per request.');
  }
}

const PREFERRED = 0;
const UNCLEAN = 1;
const NO_LEADER = -1;
/** LeaderRecoveryState: the leader may lack records that were acknowledged. */
const RECOVERING = 1;

type ElectionWanted = NonNullable<MessageOf<typeof ElectLeadersRequest>['topicPartitions']>[number];
type ElectionResult = ApiError & { readonly partitionId: number };

export function planElectLeaders(
  context: PlanContext,
  request: MessageOf<typeof ElectLeadersRequest>,
): Plan<InputOf<typeof ElectLeadersResponse>> {
  const { electionType, topicPartitions } = request;
  if (electionType !== PREFERRED && electionType !== UNCLEAN) return unknownElection(electionType, topicPartitions);
  const records: MetadataRecord[] = [];
  const results = (topicPartitions ?? everyPartition(context)).map(({ topic, partitions }) => ({
    topic,
    partitionResult: partitions
      .map(
        (partitionId): ElectionResult => ({
          partitionId,
          ...elect(context, electionType, topic, partitionId, records),
        }),
      )
      // who asks for all wants to hear of those where something happened
      .filter(({ errorCode }) => topicPartitions !== null || errorCode !== ErrorCode.ELECTION_NOT_NEEDED),
  }));
  return { records, response: { errorCode: ErrorCode.NONE, replicaElectionResults: results } };
}

function unknownElection(electionType: number, topicPartitions: readonly ElectionWanted[] | null) {
  const error = { errorCode: ErrorCode.INVALID_REQUEST, errorMessage: `Unknown election type ${electionType}` };
  const replicaElectionResults = (topicPartitions ?? []).map(({ topic, partitions }) => ({
    topic,
    partitionResult: partitions.map((partitionId) => ({ partitionId, ...error })),
  }));
  return { records: [], response: { errorCode: error.errorCode, replicaElectionResults } };
}

const everyPartition = ({ image }: PlanContext): ElectionWanted[] =>
  [...image.topics()].map(({ name, partitions }) => ({ topic: name, partitions: [...partitions.keys()] }));

function elect(
  context: PlanContext,
  type: number,
  topicName: string,
  index: number,
  records: MetadataRecord[],
): ApiError {
  try {
    const topic = context.image.topic(topicName);
    if (topic === undefined) throw new Refused('UNKNOWN_TOPIC_OR_PARTITION', `No such topic as ${topicName}`);
    const partition = topic.partitions[index];
    if (partition === undefined) {
      throw new Refused('UNKNOWN_TOPIC_OR_PARTITION', `No such partition as ${topicName}-${index}`);
    }
    records.push(type === PREFERRED ? electPreferred(context, topic, index) : electAny(context, topic, index));
    return NO_ERROR;
  } catch (error) {
    return errorOf(error);
  }
}

const isUsable = (context: PlanContext, broker: number): boolean =>
  usableBrokers(context.image).some(({ id }) => id === broker);

function leaderRecord(topic: TopicImage, partitionId: number, leader: number, more: object = {}): MetadataRecord {
  return record(PartitionChangeRecord, { topicId: topic.id, partitionId, leader, ...more });
}

const notNeeded = () => new Refused('ELECTION_NOT_NEEDED', 'Leader election not needed for topic partition.');

/** The first replica leads again, if it is in sync. */
function electPreferred(context: PlanContext, topic: TopicImage, index: number): MetadataRecord {
  const { leader, replicas, isr }: PartitionImage = topic.partitions[index];
  const preferred = replicas[0];
  if (leader === preferred) throw notNeeded();
  if (isr.includes(preferred) && isUsable(context, preferred)) return leaderRecord(topic, index, preferred);
  throw new Refused('PREFERRED_LEADER_NOT_AVAILABLE', 'The preferred leader was not available.');
}

/** A partition without a leader gets one: in sync where there is such a replica, any other that serves where there is not. */
function electAny(context: PlanContext, topic: TopicImage, index: number): MetadataRecord {
  const { leader, replicas, isr, elr }: PartitionImage = topic.partitions[index];
  if (leader !== NO_LEADER) throw notNeeded();
  const usable = replicas.filter((id) => isUsable(context, id));
  const inSync = usable.find((id) => isr.includes(id));
  if (inSync !== undefined) return leaderRecord(topic, index, inSync);
  const eligible = usable.find((id) => elr.includes(id));
  if (eligible !== undefined) {
    const rest = elr.filter((id) => id !== eligible);
    return leaderRecord(topic, index, eligible, { isr: [eligible], eligibleLeaderReplicas: rest });
  }
  if (usable.length === 0) {
    throw new Refused('ELIGIBLE_LEADERS_NOT_AVAILABLE', 'Eligible topic partition leaders are not available.');
  }
  const [unclean] = usable;
  const more = { isr: [unclean], leaderRecoveryState: RECOVERING, eligibleLeaderReplicas: [], lastKnownElr: [] };
  return leaderRecord(topic, index, unclean, more);
}
