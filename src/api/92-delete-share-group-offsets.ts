import {
  DeleteShareGroupOffsetsRequest,
  DeleteShareGroupOffsetsResponse,
} from '../../protocol/messages/92-delete-share-group-offsets.ts';
import { handler } from './handler.ts';
import { hasShareGroups, SHARE_GROUPS_DISABLED } from './share-protocol.ts';

/** DeleteShareGroupOffsets: a share group without members forgets topics (KIP-932). */
export const deleteShareGroupOffsets = handler({
  request: DeleteShareGroupOffsetsRequest,
  response: DeleteShareGroupOffsetsResponse,
  versions: [0, 0],

  handle({ broker }, request) {
    return hasShareGroups(broker) ? broker.groups.share.deleteOffsets(request) : SHARE_GROUPS_DISABLED;
  },

  failed: (_request, errorCode, errorMessage) => ({ errorCode, errorMessage }),
});
