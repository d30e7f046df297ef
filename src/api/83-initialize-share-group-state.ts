import { toNumber } from '../../protocol/int64.ts';
import {
  InitializeShareGroupStateRequest,
  InitializeShareGroupStateResponse,
} from '../../protocol/messages/83-initialize-share-group-state.ts';
import { handler } from './handler.ts';
import { failedEverywhere, perPartition } from './share-state.ts';

/** InitializeShareGroupState (KIP-932): the group coordinator's, where a group begins to read a partition or is to begin anew. */
export const initializeShareGroupState = handler({
  request: InitializeShareGroupStateRequest,
  response: InitializeShareGroupStateResponse,
  versions: [0, 0],

  handle: ({ broker }, request) =>
    perPartition(request, (partitions) => {
      const wanted = partitions.map((p) => ({ ...p, startOffset: toNumber(p.startOffset) }));
      return broker.shareCoordinator.initialize(request.groupId, wanted);
    }),

  failed: failedEverywhere,
});
