/** Brokers: they register, are fenced and unfenced, and partitions get or lose their leaders by it (KIP-631). */
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import type {
  UnregisterBrokerRequest,
  UnregisterBrokerResponse,
} from '../../protocol/messages/64-unregister-broker.ts';
import {
  BrokerRegistrationChangeRecord,
  PartitionChangeRecord,
  RegisterBrokerRecord,
  RegisterControllerRecord,
  UnregisterBrokerRecord,
} from '../../protocol/metadata/index.ts';
import type { InputOf, MessageOf } from '../../protocol/schema.ts';
import type { BrokerRegistration } from './controller.ts';
import { isInOnlineDirectory } from './directory-control.ts';
import { ELR_VERSION, METADATA_VERSION, MetadataLevel, SUPPORTED_FEATURES } from './features.ts';
import type { BrokerImage, MetadataImage, PartitionImage } from './image.ts';
import { controllerEndpoints } from './local-voter.ts';
import type { Plan, PlanContext } from './plan.ts';
import { type MetadataRecord, record } from './records.ts';

type UnregisterRequest = MessageOf<typeof UnregisterBrokerRequest>;
type UnregisterResponse = InputOf<typeof UnregisterBrokerResponse>;

const FENCE = 1;
const UNFENCE = -1;
const IN_CONTROLLED_SHUTDOWN = 1;
const NO_LEADER = -1;
const RECOVERING = 1;
const PLAINTEXT = 0;

type PartitionChange = Omit<InputOf<typeof PartitionChangeRecord>, 'partitionId' | 'topicId'>;

const supportedFeatures = () =>
  SUPPORTED_FEATURES.map(({ name, minLevel, maxLevel }) => ({
    name,
    minSupportedVersion: minLevel,
    maxSupportedVersion: maxLevel,
  }));

/** This node's controller makes itself known (KIP-919), anew in each of its lives; where the quorum meets is in its configuration. */
export function planRegisterController(
  { image, nodeId, config }: PlanContext,
  incarnationId: string,
): MetadataRecord[] {
  if ((image.features.get(METADATA_VERSION) ?? 0) < MetadataLevel.CONTROLLER_REGISTRATION) return [];
  const endPoints = controllerEndpoints(config).map((endpoint) => ({ ...endpoint, securityProtocol: PLAINTEXT }));
  const features = supportedFeatures();
  return [record(RegisterControllerRecord, { controllerId: nodeId, incarnationId, endPoints, features })];
}

/** The broker makes itself known, fenced. Its epoch is the offset of the record (`nextOffset`), as in Kafka. */
export function planRegisterBroker(
  context: PlanContext,
  broker: BrokerRegistration,
  nextOffset: number,
): MetadataRecord[] {
  const { nodeId, random } = context;
  return [
    record(RegisterBrokerRecord, {
      brokerId: nodeId,
      incarnationId: random.uuid(),
      brokerEpoch: nextOffset,
      endPoints: broker.endpoints,
      features: supportedFeatures(),
      rack: broker.rack,
      fenced: true,
      logDirs: broker.directories,
      cordonedLogDirs: [],
    }),
  ];
}

/** The broker serves: it leads the partitions that have no leader and that it may lead. */
export function planUnfenceBroker({ image, nodeId }: PlanContext): MetadataRecord[] {
  const broker = image.broker(nodeId);
  if (broker === undefined) throw new Error(`broker ${nodeId} is not registered`);
  return [
    record(BrokerRegistrationChangeRecord, { brokerId: nodeId, brokerEpoch: broker.epoch, fenced: UNFENCE }, 0),
    ...elections(image, broker),
  ];
}

/** Directories of the broker that were offline are back: it leads what lies in them and has no leader. */
export function planDirectoriesOnline({ image, nodeId }: PlanContext, online: readonly string[]): MetadataRecord[] {
  const broker = image.broker(nodeId);
  const back = online.filter((id) => !broker?.directories.includes(id));
  if (broker === undefined || back.length === 0) return [];
  const logDirs = [...broker.directories, ...back];
  return [
    record(BrokerRegistrationChangeRecord, { brokerId: nodeId, brokerEpoch: broker.epoch, logDirs }),
    ...elections(image, { ...broker, directories: logDirs }),
  ];
}

const elections = (image: MetadataImage, broker: BrokerImage): MetadataRecord[] =>
  partitionChanges(image, (p) =>
    p.leader === NO_LEADER && isInOnlineDirectory(broker, p) ? election(p, broker.id) : null,
  );

/**
 * How the broker comes to lead a partition without a leader (KIP-966): as one of the in-sync replicas, as an eligible leader replica,
 * or, where none is left, as the last leader there was; it then has to recover (leaderRecoveryState 1). Null: it may not.
 */
function election(p: PartitionImage, nodeId: number): PartitionChange | null {
  if (p.isr.includes(nodeId)) return { leader: nodeId };
  const alone = { leader: nodeId, isr: [nodeId], eligibleLeaderReplicas: [], lastKnownElr: [] };
  if (p.elr.includes(nodeId)) return alone;
  const isLast = p.isr.length === 0 && p.elr.length === 0 && p.lastKnownElr[0] === nodeId;
  return isLast ? { ...alone, leaderRecoveryState: RECOVERING } : null;
}

/** The broker says that it is about to stop (KIP-631): it leads nothing from now on. Fenced it is when it has stopped. */
export function planControlledShutdown({ image, nodeId }: PlanContext): MetadataRecord[] {
  const broker = image.broker(nodeId);
  if (broker === undefined || broker.fenced || broker.inControlledShutdown) return [];
  const change = { brokerId: nodeId, brokerEpoch: broker.epoch, inControlledShutdown: IN_CONTROLLED_SHUTDOWN };
  return [record(BrokerRegistrationChangeRecord, change, 1), ...resignations(image, nodeId)];
}

/** The broker is gone: what it still leads has no leader until it comes back. */
export function planFenceBroker({ image, nodeId }: PlanContext): MetadataRecord[] {
  const broker = image.broker(nodeId);
  if (broker === undefined || broker.fenced) return [];
  const change = { brokerId: nodeId, brokerEpoch: broker.epoch, fenced: FENCE };
  return [...resignations(image, nodeId), record(BrokerRegistrationChangeRecord, change, 0)];
}

/**
 * The partitions that the broker leads lose their leader. With eligible leader replicas (KIP-966) the last replica leaves the in-sync
 * replicas too, and may lead again; without them it stays the one that is in sync.
 */
function resignations(image: MetadataImage, nodeId: number): MetadataRecord[] {
  const hasElr = image.features.has(ELR_VERSION);
  return partitionChanges(image, ({ leader, isr, elr }) => {
    if (leader !== nodeId) return null;
    if (!hasElr || isr.some((id) => id !== nodeId)) return { leader: NO_LEADER };
    return { leader: NO_LEADER, isr: [], eligibleLeaderReplicas: [...elr, nodeId], lastKnownElr: [nodeId] };
  });
}

/** The broker is taken from the cluster for good: it leads nothing and is in sync with nothing where another replica is. */
export function planUnregisterBroker(
  { image }: PlanContext,
  { brokerId }: UnregisterRequest,
): Plan<UnregisterResponse> {
  const broker = image.broker(brokerId);
  if (broker === undefined) {
    throw new KafkaError('BROKER_ID_NOT_REGISTERED', `Broker ID ${brokerId} is not currently registered`);
  }
  const isUsable = (id: number) => id !== brokerId && image.broker(id)?.fenced === false;
  const records: MetadataRecord[] = [];
  for (const { id: topicId, partitions } of image.topics()) {
    for (const [partitionId, { leader, isr }] of partitions.entries()) {
      const rest = isr.filter((id) => id !== brokerId);
      if (leader !== brokerId && (rest.length === isr.length || rest.length === 0)) continue;
      const newLeader = leader === brokerId ? { leader: rest.find(isUsable) ?? NO_LEADER } : {};
      const newIsr = rest.length > 0 && rest.length < isr.length ? { isr: rest } : {};
      records.push(record(PartitionChangeRecord, { partitionId, topicId, ...newLeader, ...newIsr }));
    }
  }
  records.push(record(UnregisterBrokerRecord, { brokerId, brokerEpoch: broker.epoch }));
  return { records, response: { errorCode: ErrorCode.NONE, errorMessage: '' } };
}

/** A change record for each partition that `changeOf` changes. */
function partitionChanges(
  image: MetadataImage,
  changeOf: (p: PartitionImage) => PartitionChange | null,
): MetadataRecord[] {
  const records: MetadataRecord[] = [];
  for (const { id: topicId, partitions } of image.topics()) {
    for (const [partitionId, partition] of partitions.entries()) {
      const change = changeOf(partition);
      if (change !== null) records.push(record(PartitionChangeRecord, { partitionId, topicId, ...change }));
    }
  }
  return records;
}
