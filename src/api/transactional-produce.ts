/** What Produce asks before it appends batches of a transaction. */
import { ErrorCode, errorName, KafkaError } from '../../protocol/errors.ts';
import type { ProduceRequest } from '../../protocol/messages/00-produce.ts';
import * as batch from '../../protocol/records/batch.ts';
import { checkOnlyBatch } from '../../protocol/records/check.ts';
import type { MessageOf } from '../../protocol/schema.ts';
import { andThen, type Eventually } from '../coordinator/eventually.ts';
import type { Partition } from '../partition/partition.ts';
import type { ClientSupport, Verified } from '../transaction/partition/verification.ts';
import type { RequestContext } from './handler.ts';

type Request = MessageOf<typeof ProduceRequest>;

/** Clients know TRANSACTION_ABORTABLE from the one version on, and have partitions added by Produce from the other on (KIP-890). */
const ABORTABLE_VERSION = 11;
const ADD_PARTITION_VERSION = 12;

/** Partitions with a transactional batch, and what came of asking. */
export type VerifiedPartitions = ReadonlyMap<Partition, Verified>;
const NONE: VerifiedPartitions = new Map();

/**
 * Has the transaction coordinator look at the partitions that the request's transaction begins in; `topicData` has each partition
 * once. Malformed records are left to the append, which refuses them: they begin nothing. Throws KafkaError where the whole request is
 * refused.
 */
export function verifyTransaction(
  context: RequestContext,
  request: Request,
  topicData: Request['topicData'],
  find: (topic: Request['topicData'][number], index: number) => Partition | undefined,
): Eventually<VerifiedPartitions> {
  if (!hasTransactionalBatch(request)) return NONE;
  const { transactionalId } = request;
  if (transactionalId === null) throw new KafkaError('TRANSACTIONAL_ID_AUTHORIZATION_FAILED');
  const wanted: { partition: Partition; sequence: number; records: Buffer }[] = [];
  for (const topic of topicData) {
    for (const { index, records } of topic.partitionData) {
      const isWanted = isTransactional(records) && checkOnlyBatch(records, context.apiVersion) === null;
      const partition = isWanted ? find(topic, index) : undefined;
      if (partition !== undefined && records !== null) {
        wanted.push({ partition, records, sequence: batch.baseSequence(records, 0) });
      }
    }
  }
  if (wanted.length === 0) return NONE;
  const [{ records: first }] = wanted;
  const producerId = batch.producerId(first, 0);
  const producerEpoch = batch.producerEpoch(first, 0);
  for (const { records } of wanted) {
    if (batch.producerId(records, 0) === producerId && batch.producerEpoch(records, 0) === producerEpoch) continue;
    throw new KafkaError('INVALID_PRODUCER_ID_MAPPING', 'Transactional records contained more than one producer ID');
  }
  const producer = { transactionalId, producerId, producerEpoch };
  const verified = context.broker.transactionVerification.verify(producer, wanted, supportOf(context.apiVersion), true);
  return andThen(verified, (results) => new Map(wanted.map(({ partition }, i) => [partition, results[i]])));
}

function supportOf(apiVersion: number): ClientSupport {
  if (apiVersion >= ADD_PARTITION_VERSION) return 'add-partition';
  return apiVersion >= ABORTABLE_VERSION ? 'abortable' : 'default';
}

function hasTransactionalBatch({ topicData }: Request): boolean {
  for (const { partitionData } of topicData) {
    for (const { records } of partitionData) if (isTransactional(records)) return true;
  }
  return false;
}

/** Looks at the header only; whether the batch is one is checked when it is appended. */
function isTransactional(records: Buffer | null): boolean {
  return (
    records !== null &&
    records.length >= batch.BATCH_HEADER_BYTES &&
    batch.magic(records, 0) === batch.MAGIC_V2 &&
    (batch.attributes(records, 0) & batch.TRANSACTIONAL_BIT) !== 0
  );
}

/** The error of a partition that could not be verified, as the client's version of Produce knows it, and its text. */
export function unverified(errorCode: number, apiVersion: number): { errorCode: number; message: string | null } {
  switch (errorCode) {
    case ErrorCode.INVALID_TXN_STATE:
      return { errorCode, message: 'Partition was not added to the transaction' };
    case ErrorCode.CONCURRENT_TRANSACTIONS:
      return apiVersion >= ADD_PARTITION_VERSION ? { errorCode, message: null } : unavailable(errorCode);
    case ErrorCode.NETWORK_EXCEPTION:
    case ErrorCode.COORDINATOR_LOAD_IN_PROGRESS:
    case ErrorCode.COORDINATOR_NOT_AVAILABLE:
    case ErrorCode.NOT_COORDINATOR:
      return unavailable(errorCode);
    default:
      return { errorCode, message: null };
  }
}

function unavailable(errorCode: number): { errorCode: number; message: string } {
  const reason = errorName(errorCode);
  const message = `Unable to verify the partition has been added to the transaction. Underlying error: ${reason}`;
  return { errorCode: ErrorCode.NOT_ENOUGH_REPLICAS, message };
}
