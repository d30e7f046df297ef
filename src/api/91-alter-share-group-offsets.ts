import {
  AlterShareGroupOffsetsRequest,
  AlterShareGroupOffsetsResponse,
} from '../../protocol/messages/91-alter-share-group-offsets.ts';
import { errorMessage } from '../group/share/messages.ts';
import { handler } from './handler.ts';
import { hasShareGroups, SHARE_GROUPS_DISABLED } from './share-protocol.ts';

/** AlterShareGroupOffsets: where a share group without members goes on (KIP-932). */
export const alterShareGroupOffsets = handler({
  request: AlterShareGroupOffsetsRequest,
  response: AlterShareGroupOffsetsResponse,
  versions: [0, 0],

  handle({ broker }, request) {
    if (!hasShareGroups(broker)) return { ...SHARE_GROUPS_DISABLED, errorMessage: errorMessage('UNSUPPORTED_VERSION') };
    return broker.groups.share.alterOffsets(request);
  },

  failed: (_request, errorCode, message) => ({ errorCode, errorMessage: message }),
});
