import type { ControlRecord } from '../../protocol/records/control.ts';
import { KRAFT_VERSION_1, UnreadableMetadata } from './unreadable-metadata.ts';

/** Throws where a record says that the quorum has its voters in the log. With kraft.version 0 Kafka writes no such record at all. */
export function refuseKraftVersion1(control: ControlRecord, path: string): void {
  const isDynamic = control.type === 'kraft-version' && control.value.kRaftVersion > 0;
  if (isDynamic || control.type === 'kraft-voters') throw new UnreadableMetadata(`${path} ${KRAFT_VERSION_1}`);
}
