import { ErrorCode } from '../../protocol/errors.ts';
import { offsetFetch } from '../../src/api/09-offset-fetch.ts';
import { joinGroup } from '../../src/api/11-join-group.ts';
import { leaveGroup } from '../../src/api/13-leave-group.ts';
import { committed, beat as heartbeat, joinRequest, synced } from './protocol.ts';
import type { Simulation } from './simulation.ts';

export const GROUP = 'g';
export const PARTITIONS = 8;

/** A consumer with its own mind: it reads and commits, and now and then it stalls, leaves, or dies. */
export class SimulatedMember {
  readonly name: string;
  readonly groupInstanceId: string | null;
  private readonly sim: Simulation;
  private memberId = '';
  private generationId = -1;
  /** Next offset to be read, by partition that is ours. */
  private positions = new Map<number, number>();
  private isAlive = true;

  constructor(sim: Simulation, name: string, groupInstanceId: string | null) {
    this.sim = sim;
    this.name = name;
    this.groupInstanceId = groupInstanceId;
  }

  kill(): void {
    this.isAlive = false;
  }

  async run(): Promise<void> {
    while (this.isAlive) {
      if (await this.join()) await this.consume();
      await this.sim.sleep(20);
    }
  }

  /** Whether it has joined and has its assignment. */
  private async join(): Promise<boolean> {
    const { memberId, groupInstanceId } = this;
    const timeouts = { sessionTimeoutMs: 1000, rebalanceTimeoutMs: 1500 };
    const request = joinRequest(GROUP, { memberId, groupInstanceId, ...timeouts });
    const answer = await this.sim.request((broker) => broker.call(joinGroup, 9, request));
    if (answer === null) return false;
    if (answer.errorCode === ErrorCode.MEMBER_ID_REQUIRED) this.memberId = answer.memberId;
    if (answer.errorCode !== 0) {
      this.learn(answer.errorCode);
      return false;
    }
    this.memberId = answer.memberId;
    this.generationId = answer.generationId;
    const leads = answer.leader === answer.memberId && !answer.skipAssignment;
    return this.sync(leads ? share(answer.members.map((m) => m.memberId)) : {});
  }

  private async sync(assignments: Record<string, string>): Promise<boolean> {
    const answer = await this.sim.request((broker) => synced(broker, GROUP, this.identity, assignments));
    if (answer === null || answer.errorCode !== 0) {
      this.learn(answer?.errorCode ?? 0);
      return false;
    }
    const text = String(answer.assignment);
    const partitions = text === '' ? [] : text.split(',').map(Number);
    this.sim.onAssigned(this.name, this.generationId, partitions);
    return this.seek(partitions);
  }

  private async seek(partitions: number[]): Promise<boolean> {
    this.positions = new Map();
    if (partitions.length === 0) return true;
    const topics = [{ name: 't', partitionIndexes: partitions }];
    const request = { groups: [{ groupId: GROUP, topics }], requireStable: true };
    const answer = await this.sim.request((broker) => broker.call(offsetFetch, 9, request));
    if (answer === null || answer.groups[0].errorCode !== 0) return false;
    for (const { partitionIndex, committedOffset } of answer.groups[0].topics[0].partitions) {
      this.positions.set(partitionIndex, Math.max(Number(committedOffset), 0));
    }
    return true;
  }

  private async consume(): Promise<void> {
    while (this.isAlive) {
      const { random } = this.sim;
      await this.sim.sleep(random.int(300));
      // sometimes longer than its session: it does not know then that it is out
      if (random.int(40) === 0) await this.sim.sleep(500 + random.int(4000));
      if (random.int(60) === 0) return this.leave();
      for (const [partition, position] of this.positions) this.positions.set(partition, position + random.int(3));
      if (random.int(2) === 0) await this.commit();
      const answer = await this.sim.request((broker) => heartbeat(broker, GROUP, this.identity));
      if (answer === null || answer === 0) continue;
      if (answer === ErrorCode.REBALANCE_IN_PROGRESS) await this.commit();
      this.learn(answer);
      return;
    }
  }

  private async commit(): Promise<void> {
    for (const [partition, position] of this.positions) {
      const { identity } = this;
      const complete = this.sim.completeGenerationId;
      const answer = await this.sim.request((broker) => committed(broker, GROUP, position, identity, partition));
      if (answer === 0) this.sim.onCommitted(this.name, this.generationId, complete, partition, position);
    }
  }

  private async leave(): Promise<void> {
    const members = [{ memberId: this.memberId, groupInstanceId: this.groupInstanceId }];
    await this.sim.request((broker) => broker.call(leaveGroup, 5, { groupId: GROUP, members }));
    this.memberId = '';
    await this.sim.sleep(this.sim.random.int(2000));
  }

  private get identity() {
    return { memberId: this.memberId, generationId: this.generationId };
  }

  private learn(errorCode: number): void {
    if (errorCode === ErrorCode.UNKNOWN_MEMBER_ID || errorCode === ErrorCode.FENCED_INSTANCE_ID) this.memberId = '';
  }
}

/** All partitions among the members, in turn. */
function share(memberIds: readonly string[]): Record<string, string> {
  const lists = new Map<string, number[]>(memberIds.map((id) => [id, []]));
  for (let p = 0; p < PARTITIONS; p++) lists.get(memberIds[p % memberIds.length])?.push(p);
  return Object.fromEntries([...lists].map(([id, partitions]) => [id, partitions.join(',')]));
}
