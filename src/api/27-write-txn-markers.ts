import { KafkaError } from '../../protocol/errors.ts';
import type { Int64 } from '../../protocol/int64.ts';
import { WriteTxnMarkersRequest, WriteTxnMarkersResponse } from '../../protocol/messages/27-write-txn-markers.ts';
import type { InputOf, MessageOf } from '../../protocol/schema.ts';
import { all, andThen, type Eventually } from '../coordinator/eventually.ts';
import type { EndMarker } from '../coordinator/log.ts';
import { ByPartition } from './by-partition.ts';
import { handler, type RequestContext } from './handler.ts';

type Marker = MessageOf<typeof WriteTxnMarkersRequest>['markers'][number];
type MarkerResult = NonNullable<InputOf<typeof WriteTxnMarkersResponse>['markers']>[number];

/** WriteTxnMarkers: a coordinator, or an administrator who ends a hanging transaction (KIP-664), writes markers. */
export const writeTxnMarkers = handler({
  request: WriteTxnMarkersRequest,
  response: WriteTxnMarkersResponse,
  versions: [1, 2],

  handle(context, request) {
    // Kafka fails where it makes the batch, which must have a producer
    const isOfNobody = request.markers.some(
      ({ producerId, producerEpoch }) => producerId === -1 || producerEpoch === -1,
    );
    if (isOfNobody) throw new KafkaError('UNKNOWN_SERVER_ERROR');
    const written = request.markers.flatMap((marker) => write(context, marker));
    return andThen(all(written), (results) => ({ markers: byProducer(results) }));
  },

  failed: (request, errorCode) => ({
    markers: request.markers.map(({ producerId, topics }) => ({
      producerId,
      topics: topics.map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map((partitionIndex) => ({ partitionIndex, errorCode })),
      })),
    })),
  }),
});

/** What came of a marker in one partition. */
interface Written {
  readonly producerId: Int64;
  readonly topic: string;
  readonly partitionIndex: number;
  readonly errorCode: number;
}

function write({ broker }: RequestContext, request: Marker): Eventually<Written>[] {
  const { producerId, producerEpoch, transactionResult, coordinatorEpoch, transactionVersion, topics } = request;
  const result = transactionResult ? 'commit' : 'abort';
  const marker: EndMarker = { producerId, producerEpoch, result, coordinatorEpoch, transactionVersion };
  return topics.flatMap(({ name: topic, partitionIndexes }) =>
    partitionIndexes.map((partitionIndex) => {
      const code = broker.markers.write({ topic, partition: partitionIndex }, marker);
      return andThen(code, (errorCode) => ({ producerId, topic, partitionIndex, errorCode }));
    }),
  );
}

/** Each producer, topic and partition once, whichever marker named it: the last result counts. */
function byProducer(results: readonly Written[]): MarkerResult[] {
  const producers = new Map<Int64, ByPartition<number>>();
  for (const { producerId, topic, partitionIndex, errorCode } of results) {
    const codes = producers.get(producerId) ?? new ByPartition<number>();
    codes.set(topic, partitionIndex, errorCode);
    producers.set(producerId, codes);
  }
  return [...producers].map(([producerId, { topics }]) => ({
    producerId,
    topics: [...topics].map(([name, codes]) => ({
      name,
      partitions: [...codes].map(([partitionIndex, errorCode]) => ({ partitionIndex, errorCode })),
    })),
  }));
}
