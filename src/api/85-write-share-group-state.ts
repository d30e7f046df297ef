import { toNumber } from '../../protocol/int64.ts';
import {
  WriteShareGroupStateRequest,
  WriteShareGroupStateResponse,
} from '../../protocol/messages/85-write-share-group-state.ts';
import { handler } from './handler.ts';
import { failedEverywhere, perPartition } from './share-state.ts';

/** WriteShareGroupState (KIP-932): what the leader of a partition has been told of deliveries. */
export const writeShareGroupState = handler({
  request: WriteShareGroupStateRequest,
  response: WriteShareGroupStateResponse,
  versions: [0, 1],

  handle: ({ broker }, request) =>
    perPartition(request, (partitions) => {
      const wanted = partitions.map((p) => ({
        ...p,
        startOffset: toNumber(p.startOffset),
        stateBatches: p.stateBatches.map((batch) => ({
          ...batch,
          firstOffset: toNumber(batch.firstOffset),
          lastOffset: toNumber(batch.lastOffset),
        })),
      }));
      return broker.shareCoordinator.write(request.groupId, wanted);
    }),

  failed: failedEverywhere,
});
