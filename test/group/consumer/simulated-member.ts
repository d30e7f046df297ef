import { ErrorCode } from '../../../protocol/errors.ts';
import { offsetFetch } from '../../../src/api/09-offset-fetch.ts';
import { TestMember } from './member.ts';
import type { ConsumerSimulation } from './simulation.ts';

/** A consumer with its own mind: it reads and commits, and now and then it stalls, leaves, or dies. */
export class SimulatedConsumer {
  readonly name: string;
  readonly instanceId: string | null;
  private readonly sim: ConsumerSimulation;
  private member: TestMember;
  private lives = 0;
  /** Next offset to be read, by partition. */
  private positions = new Map<number, number>();
  private isAlive = true;

  constructor(sim: ConsumerSimulation, name: string, instanceId: string | null) {
    this.sim = sim;
    this.name = name;
    this.instanceId = instanceId;
    this.member = this.reborn();
  }

  /** As a member that the coordinator has not heard of. */
  private reborn(): TestMember {
    const { instanceId } = this;
    this.positions = new Map();
    return new TestMember(() => this.sim.broker, `${this.name}-${this.lives++}`, { instanceId });
  }

  get memberId(): string {
    return this.member.memberId;
  }

  get owned(): readonly string[] {
    return this.member.owned;
  }

  kill(): void {
    this.isAlive = false;
  }

  async run(): Promise<void> {
    const { random } = this.sim;
    while (this.isAlive) {
      await this.sim.sleep(random.int(300));
      // sometimes longer than its session: it does not know then that it is out
      if (this.sim.isRough && random.int(50) === 0) await this.sim.sleep(500 + random.int(4000));
      if (this.sim.isRough && random.int(80) === 0) await this.leave();
      for (const [partition, position] of this.positions) this.positions.set(partition, position + random.int(3));
      if (random.int(2) === 0) await this.commit();
      await this.beat();
    }
  }

  private async beat(): Promise<void> {
    const answer = await this.sim.request(() => this.member.send());
    if (answer === null || !this.isAlive) return;
    this.sim.onAnswer(this.member.memberId, answer);
    const isUnreleased = answer.errorCode === ErrorCode.UNRELEASED_INSTANCE_ID;
    if (answer.errorCode === ErrorCode.FENCED_INSTANCE_ID || isUnreleased) this.member = this.reborn();
    // what is to be given up is committed before it is given up
    if (answer.assignment !== null) await this.commit();
    this.member.follow(answer);
    await this.seek();
  }

  /** Begins where the group has got to, in partitions that are new. */
  private async seek(): Promise<void> {
    const owned = new Set(this.member.owned.map((one) => Number(one.split('/')[1])));
    for (const partition of [...this.positions.keys()]) if (!owned.has(partition)) this.positions.delete(partition);
    const added = [...owned].filter((partition) => !this.positions.has(partition));
    if (added.length === 0) return;
    const { memberId, epoch: memberEpoch } = this.member;
    const topics = [{ name: 't', partitionIndexes: added }];
    const request = { groups: [{ groupId: 'g', memberId, memberEpoch, topics }], requireStable: true };
    const answer = await this.sim.request((broker) => broker.call(offsetFetch, 9, request));
    if (answer === null || answer.groups[0].errorCode !== 0) return;
    for (const { partitionIndex, committedOffset } of answer.groups[0].topics[0].partitions)
      this.positions.set(partitionIndex, Math.max(Number(committedOffset), 0));
  }

  private async commit(): Promise<void> {
    for (const [partition, position] of this.positions) {
      const answer = await this.sim.request(() => this.member.commit('t', partition, position));
      if (answer === 0) this.sim.count.committed++;
    }
  }

  private async leave(): Promise<void> {
    const epoch = this.instanceId !== null && this.sim.random.int(2) === 0 ? -2 : -1;
    await this.sim.request(() => this.member.leave(epoch));
    this.member = this.reborn();
    await this.sim.sleep(this.sim.random.int(2000));
  }
}
