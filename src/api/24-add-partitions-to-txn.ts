import { ErrorCode } from '../../protocol/errors.ts';
import {
  AddPartitionsToTxnRequest,
  AddPartitionsToTxnResponse,
} from '../../protocol/messages/24-add-partitions-to-txn.ts';
import type { InputOf, MessageOf } from '../../protocol/schema.ts';
import { all, andThen, type Eventually } from '../coordinator/eventually.ts';
import { PartitionSet } from '../transaction/coordinator/partition-set.ts';
import { EPOCH_BUMP_VERSION } from '../transaction/coordinator/transaction-metadata.ts';
import { handler, type RequestContext } from './handler.ts';
import { fencedCode } from './producer-fenced.ts';

type Request = MessageOf<typeof AddPartitionsToTxnRequest>;
type Transaction = Request['transactions'][number];
type Topics = Transaction['topics'];
type Response = InputOf<typeof AddPartitionsToTxnResponse>;
type TopicResult = NonNullable<Response['resultsByTopicV3AndBelow']>[number];

const PRODUCER_FENCED_VERSION = 2;
/** From then on brokers ask too, for many transactions at once; clients stay below (KIP-890). */
const BATCH_VERSION = 4;
/** From then on partitions are added by the first append to them. */
const EPOCH_BUMP_API_VERSION = 5;

/** AddPartitionsToTxn: partitions join a transaction, or (between brokers) are looked up in it. */
export const addPartitionsToTxn = handler({
  request: AddPartitionsToTxnRequest,
  response: AddPartitionsToTxnResponse,
  versions: [0, 5],

  handle(context, request) {
    const transactions = transactionsOf(context, request);
    const added = transactions.map((transaction) => add(context, transaction));
    return andThen(all(added), (results) => inForm(context.apiVersion, transactions, results));
  },

  failed: (request, errorCode) => ({
    errorCode,
    resultsByTopicV3AndBelow: results(request.v3AndBelowTopics, () => errorCode),
  }),
});

/** Before version 4 a request is about one transaction. */
function transactionsOf({ apiVersion }: RequestContext, request: Request): readonly Transaction[] {
  if (apiVersion >= BATCH_VERSION) return request.transactions;
  return [
    {
      transactionalId: request.v3AndBelowTransactionalId,
      producerId: request.v3AndBelowProducerId,
      producerEpoch: request.v3AndBelowProducerEpoch,
      verifyOnly: false,
      topics: request.v3AndBelowTopics,
    },
  ];
}

function inForm(apiVersion: number, transactions: readonly Transaction[], results: readonly TopicResult[][]): Response {
  if (apiVersion < BATCH_VERSION) return { resultsByTopicV3AndBelow: results[0] };
  const resultsByTransaction = transactions.map(({ transactionalId }, i) => ({
    transactionalId,
    topicResults: results[i],
  }));
  return { resultsByTransaction };
}

function add({ broker, apiVersion }: RequestContext, transaction: Transaction): Eventually<TopicResult[]> {
  const { transactionalId, producerId, producerEpoch, verifyOnly, topics } = transaction;
  const image = broker.image();
  const exists = (topic: string, partition: number) => image.topic(topic)?.partitions[partition] !== undefined;
  const isWhole = topics.every(({ name, partitions }) => partitions.every((p) => exists(name, p)));
  if (!isWhole) {
    return results(topics, (topic, partition) =>
      exists(topic, partition) ? ErrorCode.OPERATION_NOT_ATTEMPTED : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    );
  }
  const named = topics.flatMap(({ name, partitions }) => partitions.map((partition) => ({ topic: name, partition })));
  const request = { transactionalId, producerId, producerEpoch, partitions: PartitionSet.of(named) };
  if (verifyOnly) {
    const codes = broker.transactions.verifyPartitions(request);
    const found = new Map(
      [...request.partitions].map(({ topic, partition }, i) => [`${topic}-${partition}`, codes[i]]),
    );
    return results(topics, (topic, partition) => found.get(`${topic}-${partition}`) as number);
  }
  const version = apiVersion >= EPOCH_BUMP_API_VERSION ? EPOCH_BUMP_VERSION : 0;
  return andThen(broker.transactions.addPartitions(request, version), (code) => {
    const errorCode = fencedCode(code, apiVersion, PRODUCER_FENCED_VERSION);
    return results(topics, () => errorCode);
  });
}

function results(topics: Topics, codeOf: (topic: string, partition: number) => number): TopicResult[] {
  return topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map((partitionIndex) => ({
      partitionIndex,
      partitionErrorCode: codeOf(name, partitionIndex),
    })),
  }));
}
