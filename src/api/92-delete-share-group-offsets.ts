import {
  DeleteShareGroupOffsetsRequest,
  DeleteShareGroupOffsetsResponse,
} from '../../protocol/messages/92-delete-share-group-offsets.ts';
import { errorMessage } from '../group/share/messages.ts';
import { handler } from './handler.ts';
import { hasShareGroups, SHARE_GROUPS_DISABLED } from './share-protocol.ts';

/** DeleteShareGroupOffsets: a share group without members forgets topics (KIP-932). */
export const deleteShareGroupOffsets = handler({
  request: DeleteShareGroupOffsetsRequest,
  response: DeleteShareGroupOffsetsResponse,
  versions: [0, 0],

  handle({ broker }, request) {
    if (!hasShareGroups(broker)) return { ...SHARE_GROUPS_DISABLED, errorMessage: errorMessage('UNSUPPORTED_VERSION') };
    return broker.groups.share.deleteOffsets(request);
  },

  failed: (_request, errorCode, message) => ({ errorCode, errorMessage: message }),
});
