import {
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse,
} from '../../protocol/messages/23-offset-for-leader-epoch.ts';
import { handler, type RequestContext } from './handler.ts';
import { checkLeaderEpoch, epochEnd } from './leader-epoch.ts';
import { missingPartition } from './missing-partition.ts';
import { answerFor } from './partition-failure.ts';

/** OffsetForLeaderEpoch (KIP-101, KIP-320): where an epoch ended, so that a reader can see whether its log was cut. */
export const offsetForLeaderEpoch = handler({
  request: OffsetForLeaderEpochRequest,
  response: OffsetForLeaderEpochResponse,
  versions: [2, 4],

  handle(context, request) {
    return {
      topics: request.topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map((p) => ({
          partition: p.partition,
          ...endOffset(context, topic, p.partition, p.currentLeaderEpoch, p.leaderEpoch),
        })),
      })),
    };
  },

  failed: (request, errorCode) => ({
    topics: request.topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition }) => ({ partition, ...refused(errorCode) })),
    })),
  }),
});

function endOffset(
  context: RequestContext,
  topic: string,
  index: number,
  currentLeaderEpoch: number,
  leaderEpoch: number,
) {
  const partition = context.broker.partitions.get(topic, index);
  if (partition === undefined) return refused(missingPartition(context.broker, topic, index));
  const epochError = checkLeaderEpoch(partition, currentLeaderEpoch);
  if (epochError !== 0) return refused(epochError);
  const lookUp = () => {
    const found = epochEnd(partition, leaderEpoch);
    return { errorCode: 0, leaderEpoch: found.epoch, endOffset: found.endOffset };
  };
  return answerFor(context.broker, partition, lookUp, refused);
}

const refused = (errorCode: number) => ({ errorCode, leaderEpoch: -1, endOffset: -1 });
