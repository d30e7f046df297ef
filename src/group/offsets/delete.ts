/** Deletion of groups and of committed offsets: on request, with their topic, and when they have expired. */
import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import type { OffsetDeleteRequest, OffsetDeleteResponse } from '../../../protocol/messages/47-offset-delete.ts';
import type { InputOf, MessageOf } from '../../../protocol/schema.ts';
import { ZERO_UUID } from '../../../protocol/uuid.ts';
import { DONE, type Outcome } from '../../coordinator/state-machine.ts';
import type { GroupShard } from '../group-shard.ts';
import type { GroupRecord } from '../records.ts';
import type { StoredOffset } from './offset-store.ts';
import { offsetTombstone } from './records.ts';

type DeleteResponse = InputOf<typeof OffsetDeleteResponse>;

/** Well below any sensible limit of a batch. */
const BATCH_BYTES_MAX = 512 * 1024;
/** Of a tombstone's key and its place in the batch, beside the names. */
const TOMBSTONE_BYTES = 32;

/** Writes the tombstones in as many batches as they need. */
function written<T>(tombstones: readonly GroupRecord[], response: T): Outcome<GroupRecord, T> {
  let bytes = 0;
  const end = tombstones.findIndex((t) => {
    bytes += TOMBSTONE_BYTES + t.groupId.length + (t.type === 'offset' ? t.topic.length : 0);
    return bytes > BATCH_BYTES_MAX;
  });
  if (end <= 0) return { records: tombstones, response };
  return { records: tombstones.slice(0, end), response, next: () => written(tombstones.slice(end), response) };
}

/** Deletes a group that has no members, with all its offsets. Throws GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP. */
export function deleteGroup(shard: GroupShard, groupId: string): Outcome<GroupRecord, number> {
  const group = shard.groups.get(groupId);
  if (group === undefined) throw new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} not found.`);
  if (!group.isEmpty()) throw new KafkaError('NON_EMPTY_GROUP');
  const offsets = [...shard.offsets.partitionsOf(groupId)].map(([topic, p]) => offsetTombstone(groupId, topic, p));
  shard.env.logger.info({ groupId, offsets: offsets.length }, 'group is deleted');
  return written([...offsets, ...group.tombstones()], ErrorCode.NONE);
}

/** Deletes offsets of topics that the group's members do not read. Throws where the whole request is refused. */
export function deleteOffsets(
  shard: GroupShard,
  request: MessageOf<typeof OffsetDeleteRequest>,
): Outcome<GroupRecord, DeleteResponse> {
  const { groupId } = request;
  const group = shard.groups.get(groupId);
  if (group === undefined) throw new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} not found.`);
  group.requireDeletableOffsets();
  const records: GroupRecord[] = [];
  const topics = request.topics.map(({ name, partitions }) => {
    const errorCode = group.isSubscribedTo(name) ? ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC : ErrorCode.NONE;
    for (const { partitionIndex } of errorCode === ErrorCode.NONE ? partitions : []) {
      if (shard.offsets.has(groupId, name, partitionIndex))
        records.push(offsetTombstone(groupId, name, partitionIndex));
    }
    return { name, partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })) };
  });
  return { records, response: { topics } };
}

/** A topic is gone: its offsets go too, unless they belong to a later topic of the same name. */
export function forgetTopics(
  shard: GroupShard,
  groupId: string,
  topics: ReadonlyMap<string, { readonly id: string }>,
): Outcome<GroupRecord, void> {
  const records = new Map<string, GroupRecord>();
  const consider = (topic: string, partition: number, stored: StoredOffset) => {
    const gone = topics.get(topic);
    if (gone === undefined || (stored.topicId !== ZERO_UUID && stored.topicId !== gone.id)) return;
    records.set(`${partition} ${topic}`, offsetTombstone(groupId, topic, partition));
  };
  for (const [topic, partition, stored] of shard.offsets.committed.entriesOf(groupId))
    consider(topic, partition, stored);
  for (const [topic, partition, stored] of shard.offsets.pendingOf(groupId)) consider(topic, partition, stored);
  return records.size === 0 ? DONE : written([...records.values()], undefined);
}

/** Deletes what has expired of the group: offsets, and with the last of them the group itself if it has no members. */
export function expireGroup(shard: GroupShard, groupId: string, nowMs: number): Outcome<GroupRecord, void> {
  const group = shard.groups.get(groupId);
  // share groups stay until somebody deletes them
  if (group === undefined || group.type === 'share') return DONE;
  const records: GroupRecord[] = [];
  const sinceMs = group.retentionStart();
  const retentionMs = shard.config.get('offsets.retention.minutes') * 60_000;
  let isAllGone = true;
  for (const [topic, partition, stored] of shard.offsets.committed.entriesOf(groupId)) {
    const isExpired =
      sinceMs !== null &&
      !group.isSubscribedTo(topic) &&
      !shard.offsets.hasPending(groupId, topic, partition) &&
      hasExpired(stored, sinceMs(stored), retentionMs, nowMs);
    if (isExpired) records.push(offsetTombstone(groupId, topic, partition));
    else isAllGone = false;
  }
  if (isAllGone && group.isEmpty() && !shard.offsets.groupHasPending(groupId)) {
    records.push(...group.tombstones());
  }
  if (records.length === 0) return DONE;
  shard.env.logger.info({ groupId, records: records.length }, 'offsets have expired');
  return written(records, undefined);
}

function hasExpired(stored: StoredOffset, sinceMs: number, retentionMs: number, nowMs: number): boolean {
  if (stored.expireTimestampMs !== -1) return nowMs >= stored.expireTimestampMs;
  return nowMs - sinceMs >= retentionMs;
}
