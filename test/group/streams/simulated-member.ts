import { ErrorCode } from '../../../protocol/errors.ts';
import { type Answer, beat, joining, owning, partitionsOf, STATEFUL } from './protocol.ts';
import type { StreamsSimulation } from './simulation.ts';

/** A thread of an application with its own mind: it processes tasks, and now and then it stalls, leaves, or dies. */
export class SimulatedStreamsMember {
  readonly name: string;
  readonly processId: string;
  private readonly sim: StreamsSimulation;
  private epoch = 0;
  private active: number[] = [];
  private standby: number[] = [];
  /** Tasks that it is told to have and has not come to yet. */
  private told: { active: number[]; standby: number[] } | null = null;
  /** Whether the coordinator knows what it has. */
  private isSaid = false;
  private isAlive = true;
  private stallMs = 0;

  constructor(sim: StreamsSimulation, name: string, processId: string) {
    this.sim = sim;
    this.name = name;
    this.processId = processId;
  }

  kill(): void {
    this.isAlive = false;
  }

  stall(ms: number): void {
    this.stallMs = ms;
  }

  /** The tasks that it processes, as far as it knows; none where it is to begin anew. */
  get processed(): readonly number[] {
    return this.epoch === 0 || !this.isAlive ? [] : this.active;
  }

  get memberEpoch(): number {
    return this.epoch;
  }

  async run(): Promise<void> {
    while (this.isAlive) {
      await this.heartbeat();
      await this.sim.sleep(100 + this.stallMs);
      this.stallMs = 0;
      if (this.told !== null && this.sim.random.int(3) > 0) this.reconcile(this.told);
    }
  }

  async leave(): Promise<void> {
    this.isAlive = false;
    await this.sim.request((broker) => beat(broker, this.name, { memberEpoch: -1 }));
  }

  private reconcile(told: { active: number[]; standby: number[] }): void {
    this.active = told.active;
    this.standby = told.standby;
    this.told = null;
    this.isSaid = false;
  }

  private async heartbeat(): Promise<void> {
    const isJoining = this.epoch === 0;
    const isFull = !this.isSaid || this.sim.random.int(5) === 0;
    const tasks = isFull ? owning(this.active, this.standby) : {};
    const fields = isJoining ? joining(this.processId, STATEFUL) : { memberEpoch: this.epoch, ...tasks };
    const answer = await this.sim.request((broker) => beat(broker, this.name, fields));
    if (!this.isAlive) return;
    if (answer === null) this.isSaid = false;
    else this.learn(answer, isFull);
  }

  private learn(answer: Answer, isFull: boolean): void {
    switch (answer.errorCode) {
      case 0:
        break;
      case ErrorCode.UNKNOWN_MEMBER_ID:
      case ErrorCode.FENCED_MEMBER_EPOCH:
      case ErrorCode.GROUP_ID_NOT_FOUND:
        this.beginAnew();
        return;
      default:
        this.isSaid = false;
        return;
    }
    this.isSaid = isFull && this.told === null;
    this.sim.onEpoch(this.name, answer.memberEpoch);
    this.epoch = answer.memberEpoch;
    if (answer.activeTasks === null) return;
    this.told = { active: partitionsOf(answer.activeTasks) ?? [], standby: partitionsOf(answer.standbyTasks) ?? [] };
    this.isSaid = false;
  }

  private beginAnew(): void {
    this.epoch = 0;
    this.active = [];
    this.standby = [];
    this.told = null;
    this.isSaid = false;
  }
}
