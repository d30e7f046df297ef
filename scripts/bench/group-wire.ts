/**
 * The requests of consumers in classic groups, as hand-made bytes like those of wire.ts: FindCoordinator 2, JoinGroup 5, SyncGroup 3,
 * OffsetCommit 7, OffsetFetch 5.
 */
import { ByteReader, ByteWriter, frame } from './wire.ts';

const API = { offsetCommit: 8, offsetFetch: 9, findCoordinator: 10, joinGroup: 11, syncGroup: 14 } as const;
const SESSION_TIMEOUT_MS = 45_000;
const REBALANCE_TIMEOUT_MS = 60_000;

export const ERROR_NONE = 0;
export const ERROR_REBALANCE_IN_PROGRESS = 27;
export const ERROR_MEMBER_ID_REQUIRED = 79;
/** COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR: the coordinator is about to serve. */
const NOT_YET = [14, 15, 16];
export const isNotYet = (errorCode: number): boolean => NOT_YET.includes(errorCode);

export function findCoordinatorRequest(groupId: string): Buffer {
  return frame(API.findCoordinator, 2, 0, new ByteWriter().string(groupId).int8(0).done());
}

/** @param payload the response after its correlation id */
export function readFindCoordinator(payload: Buffer): number {
  const reader = new ByteReader(payload);
  reader.int32(); // throttle
  return reader.int16();
}

/** A consumer of one topic with one strategy; `memberId` is empty for a new one. Another `round` than before asks for a rebalance. */
export function joinGroupRequest(groupId: string, memberId: string, topic: string, round: number): Buffer {
  // ConsumerProtocolSubscription 0: one topic, four bytes of user data
  const metadata = new ByteWriter().int16(0).int32(1).string(topic).int32(4).int32(round).done();
  const body = new ByteWriter()
    .string(groupId)
    .int32(SESSION_TIMEOUT_MS)
    .int32(REBALANCE_TIMEOUT_MS)
    .string(memberId)
    .string(null)
    .string('consumer')
    .int32(1)
    .string('range')
    .bytes(metadata);
  return frame(API.joinGroup, 5, 0, body.done());
}

export interface Joined {
  readonly errorCode: number;
  readonly generationId: number;
  readonly memberId: string;
  readonly leaderId: string;
  /** Known to the leader only. */
  readonly memberIds: readonly string[];
}

export function readJoinGroup(payload: Buffer): Joined {
  const reader = new ByteReader(payload);
  reader.int32(); // throttle
  const errorCode = reader.int16();
  const generationId = reader.int32();
  reader.string(); // strategy
  const leaderId = reader.string() ?? '';
  const memberId = reader.string() ?? '';
  const memberIds = reader.array(() => {
    const id = reader.string() ?? '';
    reader.string();
    reader.bytes();
    return id;
  });
  return { errorCode, generationId, memberId, leaderId, memberIds };
}

/** The leader names every member and gives each `assignment`; the others name none. */
export function syncGroupRequest(
  groupId: string,
  { generationId, memberId, memberIds }: Joined,
  assignment: Buffer,
): Buffer {
  const body = new ByteWriter().string(groupId).int32(generationId).string(memberId).string(null);
  body.array(memberIds, (id) => body.string(id).bytes(assignment));
  return frame(API.syncGroup, 3, 0, body.done());
}

export function readSyncGroup(payload: Buffer): number {
  const reader = new ByteReader(payload);
  reader.int32(); // throttle
  return reader.int16();
}

/** Commits `offset` for the partitions, by a consumer that belongs to no generation. */
export function offsetCommitRequest(
  groupId: string,
  topic: string,
  partitions: readonly number[],
  offset: number,
): Buffer {
  const body = new ByteWriter().string(groupId).int32(-1).string('').string(null).int32(1).string(topic);
  body.array(partitions, (partition) => body.int32(partition).int64(offset).int32(-1).string(''));
  return frame(API.offsetCommit, 7, 0, body.done());
}

/** Whether it was committed; false where the coordinator does not serve yet. Throws at any other error. */
export function isCommitted(payload: Buffer): boolean {
  const reader = new ByteReader(payload);
  let done = true;
  reader.int32(); // throttle
  reader.array(() => {
    reader.string();
    reader.array(() => {
      const partition = reader.int32();
      const errorCode = reader.int16();
      if (isNotYet(errorCode)) done = false;
      else if (errorCode !== ERROR_NONE) throw new Error(`OffsetCommit partition ${partition}: error ${errorCode}`);
    });
  });
  return done;
}

export function offsetFetchRequest(groupId: string, topic: string, partitions: readonly number[]): Buffer {
  const body = new ByteWriter().string(groupId).int32(1).string(topic);
  body.array(partitions, (partition) => body.int32(partition));
  return frame(API.offsetFetch, 5, 0, body.done());
}

/** The offsets in the order of the request; undefined where the group, or a partition, has an error. */
export function readOffsetFetch(payload: Buffer): number[] | undefined {
  const reader = new ByteReader(payload);
  reader.int32(); // throttle
  const offsets: number[] = [];
  let failed = false;
  reader.array(() => {
    reader.string();
    reader.array(() => {
      reader.int32();
      offsets.push(reader.int64());
      reader.int32();
      reader.string();
      failed ||= reader.int16() !== ERROR_NONE;
    });
  });
  return failed || reader.int16() !== ERROR_NONE ? undefined : offsets;
}
