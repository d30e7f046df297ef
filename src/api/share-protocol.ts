import { ErrorCode } from '../../protocol/errors.ts';
import type { Broker } from './broker.ts';

/** What clients are told where the cluster's share.version does not let share groups be. */
export const SHARE_GROUPS_DISABLED = { errorCode: ErrorCode.UNSUPPORTED_VERSION };

/** share.version 1 and above (KIP-932). */
export function hasShareGroups(broker: Broker): boolean {
  return (broker.image().features.get('share.version') ?? 0) >= 1;
}
