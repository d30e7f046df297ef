import { WriteTxnMarkersRequest, WriteTxnMarkersResponse } from '../../protocol/messages/27-write-txn-markers.ts';
import type { InputOf, MessageOf } from '../../protocol/schema.ts';
import { all, andThen, type Eventually } from '../coordinator/eventually.ts';
import type { EndMarker } from '../coordinator/log.ts';
import { handler, type RequestContext } from './handler.ts';

type Marker = MessageOf<typeof WriteTxnMarkersRequest>['markers'][number];
type MarkerResult = NonNullable<InputOf<typeof WriteTxnMarkersResponse>['markers']>[number];

/** WriteTxnMarkers: a coordinator, or an administrator who ends a hanging transaction (KIP-664), writes markers. */
export const writeTxnMarkers = handler({
  request: WriteTxnMarkersRequest,
  response: WriteTxnMarkersResponse,
  versions: [1, 2],

  handle(context, request) {
    const written = request.markers.map((marker) => write(context, marker));
    return andThen(all(written), (markers) => ({ markers }));
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

function write({ broker }: RequestContext, request: Marker): Eventually<MarkerResult> {
  const { producerId, producerEpoch, transactionResult, coordinatorEpoch, transactionVersion, topics } = request;
  const result = transactionResult ? 'commit' : 'abort';
  const marker: EndMarker = { producerId, producerEpoch, result, coordinatorEpoch, transactionVersion };
  const ofTopics = topics.map(({ name, partitionIndexes }) => {
    const ofPartitions = partitionIndexes.map((partition) => {
      const code = broker.markers.write({ topic: name, partition }, marker);
      return andThen(code, (errorCode) => ({ partitionIndex: partition, errorCode }));
    });
    return andThen(all(ofPartitions), (partitions) => ({ name, partitions }));
  });
  return andThen(all(ofTopics), (written) => ({ producerId, topics: written }));
}
