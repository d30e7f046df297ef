import { ErrorCode } from '../../protocol/errors.ts';
import { type Int64, toNumber } from '../../protocol/int64.ts';
import { all, andThen, type Eventually } from '../coordinator/eventually.ts';
import { type AcknowledgementBatch, AcknowledgeType } from '../share/partition/acknowledge.ts';
import type { RequestContext } from './handler.ts';
import { exists, RENEW_SINCE } from './share-requests.ts';

/** The acknowledgements of a request, alone or with a fetch. */
interface Request {
  readonly isRenewAck: boolean;
  readonly topics: readonly {
    readonly topicId: string;
    readonly partitions: readonly {
      readonly partitionIndex: number;
      readonly acknowledgementBatches: readonly WireBatch[];
    }[];
  }[];
}

interface WireBatch {
  readonly firstOffset: Int64;
  readonly lastOffset: Int64;
  readonly acknowledgeTypes: readonly number[];
}

/** What became of the acknowledgements for one partition. */
export interface Acknowledged {
  readonly topicId: string;
  readonly partition: number;
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

export function hasAcknowledgements({ topics }: Request): boolean {
  return topics.some(({ partitions }) => partitions.some((p) => p.acknowledgementBatches.length > 0));
}

/** Acknowledges what the request says, of the partitions that it names; done when all of it is written. */
export function acknowledgeAll(
  context: RequestContext,
  { groupId, memberId }: { groupId: string; memberId: string },
  request: Request,
): Eventually<Acknowledged[]> {
  const { broker, apiVersion } = context;
  const supportsRenew = apiVersion >= RENEW_SINCE;
  let isAnyAsked = false;
  const acknowledged = request.topics.flatMap(({ topicId, partitions }) =>
    partitions.map(({ partitionIndex: partition, acknowledgementBatches }): Eventually<Acknowledged | null> => {
      const result = (errorCode: number, errorMessage: string | null = null) => ({
        topicId,
        partition,
        errorCode,
        errorMessage,
      });
      if (broker.image().topicById(topicId) === undefined) return result(ErrorCode.UNKNOWN_TOPIC_ID);
      const batches = acknowledgementBatches.map(batchOf);
      if (!isValid(batches, supportsRenew, request.isRenewAck)) return result(ErrorCode.INVALID_REQUEST);
      if (!exists(broker, topicId, partition)) return result(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
      // told only beside others that say something
      if (batches.length === 0) return null;
      isAnyAsked = true;
      const share = broker.sharePartitions.get({ groupId, topicId, partition });
      if (share === undefined) return result(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, NOT_HOSTED);
      return andThen(share.acknowledge(memberId, batches), (error) => result(error?.code ?? 0, error?.message ?? null));
    }),
  );
  const names = request.topics.flatMap(({ topicId, partitions }) =>
    partitions.map(({ partitionIndex: partition }) => ({ topicId, partition })),
  );
  return andThen(all(acknowledged), (results) =>
    results
      .map((one, i) => one ?? (isAnyAsked ? { ...names[i], errorCode: 0, errorMessage: null } : null))
      .filter((one) => one !== null),
  );
}

const NOT_HOSTED = 'This server does not host this topic-partition.';

const batchOf = ({ firstOffset, lastOffset, acknowledgeTypes }: WireBatch): AcknowledgementBatch => ({
  firstOffset: toNumber(firstOffset),
  lastOffset: toNumber(lastOffset),
  types: acknowledgeTypes,
});

/** Batches are in order, and each has one type for all of its records or one for each. */
function isValid(batches: readonly AcknowledgementBatch[], supportsRenew: boolean, isRenewAck: boolean): boolean {
  const highest = supportsRenew ? AcknowledgeType.RENEW : AcknowledgeType.REJECT;
  let previous = -1;
  return batches.every(({ firstOffset, lastOffset, types }) => {
    const isInOrder = firstOffset <= lastOffset && firstOffset >= previous;
    const isComplete = types.length === 1 || (types.length > 1 && types.length === lastOffset - firstOffset + 1);
    const isKnown = types.every((type) => type >= AcknowledgeType.GAP && type <= highest);
    previous = lastOffset;
    return isInOrder && isComplete && isKnown && (isRenewAck || !types.includes(AcknowledgeType.RENEW));
  });
}
