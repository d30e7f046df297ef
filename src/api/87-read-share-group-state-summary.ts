import {
  ReadShareGroupStateSummaryRequest,
  ReadShareGroupStateSummaryResponse,
} from '../../protocol/messages/87-read-share-group-state-summary.ts';
import { handler } from './handler.ts';
import { failedEverywhere, perPartition } from './share-state.ts';

/** ReadShareGroupStateSummary (KIP-932): how far a group has come, for those who do not lead the partition. */
export const readShareGroupStateSummary = handler({
  request: ReadShareGroupStateSummaryRequest,
  response: ReadShareGroupStateSummaryResponse,
  versions: [0, 1],

  handle: ({ broker }, request) =>
    perPartition(request, (partitions) => broker.shareCoordinator.readSummary(request.groupId, partitions)),

  failed: failedEverywhere,
});
