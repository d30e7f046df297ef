import {
  AlterShareGroupOffsetsRequest,
  AlterShareGroupOffsetsResponse,
} from '../../protocol/messages/91-alter-share-group-offsets.ts';
import { handler } from './handler.ts';
import { hasShareGroups, SHARE_GROUPS_DISABLED } from './share-protocol.ts';

/** AlterShareGroupOffsets: where a share group without members goes on (KIP-932). */
export const alterShareGroupOffsets = handler({
  request: AlterShareGroupOffsetsRequest,
  response: AlterShareGroupOffsetsResponse,
  versions: [0, 0],

  handle({ broker }, request) {
    return hasShareGroups(broker) ? broker.groups.share.alterOffsets(request) : SHARE_GROUPS_DISABLED;
  },

  failed: (_request, errorCode, errorMessage) => ({ errorCode, errorMessage }),
});
