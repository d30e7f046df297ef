import {
  ReadShareGroupStateRequest,
  ReadShareGroupStateResponse,
} from '../../protocol/messages/84-read-share-group-state.ts';
import { handler } from './handler.ts';
import { failedEverywhere, perPartition } from './share-state.ts';

/** ReadShareGroupState (KIP-932): for the leader of a partition, whose epoch fences the leaders before it. */
export const readShareGroupState = handler({
  request: ReadShareGroupStateRequest,
  response: ReadShareGroupStateResponse,
  versions: [0, 0],

  handle: ({ broker }, request) =>
    perPartition(request, (partitions) => broker.shareCoordinator.read(request.groupId, partitions)),

  failed: failedEverywhere,
});
