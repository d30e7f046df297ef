import {
  DeleteShareGroupStateRequest,
  DeleteShareGroupStateResponse,
} from '../../protocol/messages/86-delete-share-group-state.ts';
import { handler } from './handler.ts';
import { failedEverywhere, perPartition } from './share-state.ts';

/** DeleteShareGroupState (KIP-932). */
export const deleteShareGroupState = handler({
  request: DeleteShareGroupStateRequest,
  response: DeleteShareGroupStateResponse,
  versions: [0, 0],

  handle: ({ broker }, request) =>
    perPartition(request, (partitions) => broker.shareCoordinator.delete(request.groupId, partitions)),

  failed: failedEverywhere,
});
