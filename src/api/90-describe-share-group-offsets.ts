import {
  DescribeShareGroupOffsetsRequest,
  DescribeShareGroupOffsetsResponse,
} from '../../protocol/messages/90-describe-share-group-offsets.ts';
import { all, andThen } from '../coordinator/eventually.ts';
import { handler } from './handler.ts';
import { hasShareGroups, SHARE_GROUPS_DISABLED } from './share-protocol.ts';

/** DescribeShareGroupOffsets: where share groups stand in the partitions, and what lies before them (KIP-932, lag: KIP-1226). */
export const describeShareGroupOffsets = handler({
  request: DescribeShareGroupOffsetsRequest,
  response: DescribeShareGroupOffsetsResponse,
  versions: [0, 1],

  handle({ broker }, { groups }) {
    if (!hasShareGroups(broker))
      return { groups: groups.map(({ groupId }) => ({ groupId, ...SHARE_GROUPS_DISABLED })) };
    return andThen(all(groups.map((group) => broker.groups.share.describeOffsets(group))), (described) => ({
      groups: described,
    }));
  },

  failed: ({ groups }, errorCode, errorMessage) => ({
    groups: groups.map(({ groupId }) => ({ groupId, errorCode, errorMessage })),
  }),
});
