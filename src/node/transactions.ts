import { ErrorCode } from '../../protocol/errors.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import { TRANSACTION_VERSION } from '../controller/features.ts';
import type { MetadataImage } from '../controller/image.ts';
import { TRANSACTION_STATE_TOPIC } from '../coordinator/topics.ts';
import type { Clock, Logger } from '../env.ts';
import type { GroupCoordinator } from '../group/group-coordinator.ts';
import type { Partitions } from '../partition/partitions.ts';
import type { ProducerIds } from '../partition/producer-ids.ts';
import { TransactionCoordinator } from '../transaction/coordinator/transaction-coordinator.ts';
import { MarkerWriter } from '../transaction/partition/marker-writer.ts';
import { type TransactionGate, TransactionVerification } from '../transaction/partition/verification.ts';
import { InternalTopicLog } from './internal-log.ts';

export interface TransactionOptions {
  readonly partitions: Partitions;
  readonly groups: GroupCoordinator;
  readonly producerIds: ProducerIds;
  readonly clock: Clock;
  readonly logger: Logger;
  config(): BrokerConfig;
  image(): MetadataImage;
}

/** The parts that transactions consist of on this node. */
export interface Transactions {
  readonly transactions: TransactionCoordinator;
  readonly transactionVerification: TransactionVerification;
  readonly markers: MarkerWriter;
}

/** Puts them together for a node that leads all partitions: markers and verifications do not leave it. */
export function assembleTransactions(options: TransactionOptions): Transactions {
  const { partitions, groups, producerIds, clock, logger, config, image } = options;
  const markers = new MarkerWriter({
    partitions,
    clock,
    logger,
    exists: ({ topic, partition }) => image().topic(topic)?.partitions[partition] !== undefined,
    endOffsets: (partition, marker) => groups.endTransaction(partition, marker),
  });
  const transactions = new TransactionCoordinator({
    log: new InternalTopicLog(TRANSACTION_STATE_TOPIC, partitions),
    clock,
    logger,
    config,
    transactionVersion: () => image().features.get(TRANSACTION_VERSION) ?? 0,
    partitionCount: () =>
      image().topic(TRANSACTION_STATE_TOPIC)?.partitions.length ?? config().get('transaction.state.log.num.partitions'),
    nextProducerId: () => producerIds.next(),
    send: (marker) => markers.send(marker),
  });
  const gate: TransactionGate = {
    addPartitions: (request, version) =>
      hasCoordinator(image()) ? transactions.addPartitions(request, version) : ErrorCode.COORDINATOR_NOT_AVAILABLE,
    verifyPartitions: (request) =>
      hasCoordinator(image())
        ? transactions.verifyPartitions(request)
        : [...request.partitions].map(() => ErrorCode.COORDINATOR_NOT_AVAILABLE),
  };
  return { transactions, markers, transactionVerification: new TransactionVerification(gate, clock, config) };
}

const hasCoordinator = (image: MetadataImage): boolean => image.topic(TRANSACTION_STATE_TOPIC) !== undefined;
