import type { Partitions } from '../partitions.ts';

/** What an assignor knows of a member. */
export interface MemberSpec {
  readonly instanceId: string | null;
  /** Only topics that exist. */
  readonly subscribedTopicIds: ReadonlySet<string>;
  /** Its target until now. No partition is in the targets of two members. */
  readonly target: Partitions;
}

export interface GroupSpec {
  readonly members: ReadonlyMap<string, MemberSpec>;
  /** Whether all members subscribe to the same topics. */
  readonly isHomogeneous: boolean;
  partitionCount(topicId: string): number;
}

/** The new targets by member id; a member that is not there gets nothing. */
export type GroupAssignment = ReadonlyMap<string, Partitions>;

/** Makes the target assignment of a group. Pure. */
export interface Assignor {
  readonly name: string;
  assign(group: GroupSpec): GroupAssignment;
}

/** A target assignment in the making. */
export class TargetBuilder {
  readonly targets = new Map<string, Map<string, Set<number>>>();

  constructor(memberIds: Iterable<string>) {
    for (const memberId of memberIds) this.targets.set(memberId, new Map());
  }

  add(memberId: string, topicId: string, partition: number): void {
    const target = this.of(memberId);
    const partitions = target.get(topicId);
    if (partitions === undefined) target.set(topicId, new Set([partition]));
    else partitions.add(partition);
  }

  remove(memberId: string, topicId: string, partition: number): void {
    const target = this.of(memberId);
    const partitions = target.get(topicId);
    partitions?.delete(partition);
    if (partitions?.size === 0) target.delete(topicId);
  }

  of(memberId: string): Map<string, Set<number>> {
    const target = this.targets.get(memberId);
    if (target === undefined) throw new Error(`${memberId} is no member`);
    return target;
  }
}
