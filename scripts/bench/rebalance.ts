/**
 * A classic group of many members, each on a connection of its own: all join again, the leader assigns, all get their assignment.
 *
 *   node scripts/bench/rebalance.ts --port 9092 [--group g] [--members 100] [--rebalances 20]
 *
 * Members do not wait for a heartbeat to tell them of the rebalance, so the time is that of the broker and of the requests. Prints one line
 * of JSON (RebalanceResult).
 */
import { parseArgs } from 'node:util';
import { Caller } from './connection.ts';
import {
  ERROR_MEMBER_ID_REQUIRED,
  ERROR_NONE,
  ERROR_REBALANCE_IN_PROGRESS,
  findCoordinatorRequest,
  isNotYet,
  type Joined,
  joinGroupRequest,
  readFindCoordinator,
  readJoinGroup,
  readSyncGroup,
  syncGroupRequest,
} from './group-wire.ts';
import { percentile } from './statistics.ts';

export interface RebalanceResult {
  /** From the first JoinGroup to the last assignment, in milliseconds. */
  p50: number;
  max: number;
}

const RETRY_MS = 50;
const TOPIC = 'bench-group';
/** About what a consumer of a few partitions is told. */
const ASSIGNMENT = Buffer.alloc(64);

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '9092' },
    group: { type: 'string', default: 'bench-rebalance' },
    members: { type: 'string', default: '100' },
    rebalances: { type: 'string', default: '20' },
  },
});

class BenchMember {
  private readonly caller = new Caller(Number(options.port));
  private memberId = '';
  /** How often it had to join again because somebody else came. */
  again = 0;

  private async join(round: number): Promise<Joined> {
    while (true) {
      const joined = readJoinGroup(
        await this.caller.call(joinGroupRequest(options.group, this.memberId, TOPIC, round)),
      );
      if (!isNotYet(joined.errorCode)) return joined;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  /** Gets the id that a new member is to come back with (KIP-394). */
  async introduce(): Promise<void> {
    const { errorCode, memberId } = await this.join(0);
    if (errorCode !== ERROR_MEMBER_ID_REQUIRED) throw new Error(`JoinGroup of a new member: error ${errorCode}`);
    this.memberId = memberId;
  }

  /** Until it has an assignment: while the group forms there may be several rebalances. */
  async rebalance(round: number): Promise<void> {
    while (true) {
      const joined = await this.join(round);
      if (joined.errorCode !== ERROR_NONE) throw new Error(`JoinGroup: error ${joined.errorCode}`);
      const errorCode = readSyncGroup(await this.caller.call(syncGroupRequest(options.group, joined, ASSIGNMENT)));
      if (errorCode === ERROR_NONE) return;
      if (errorCode !== ERROR_REBALANCE_IN_PROGRESS) throw new Error(`SyncGroup: error ${errorCode}`);
      this.again++;
    }
  }

  close(): void {
    this.caller.close();
  }
}

async function waitForCoordinator(): Promise<void> {
  const caller = new Caller(Number(options.port));
  while (readFindCoordinator(await caller.call(findCoordinatorRequest(options.group))) !== ERROR_NONE) {
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  caller.close();
}

async function run(): Promise<RebalanceResult> {
  const members = Array.from({ length: Number(options.members) }, () => new BenchMember());
  await waitForCoordinator();
  for (const member of members) await member.introduce();
  const tookMs: number[] = [];
  for (let i = 0; i <= Number(options.rebalances); i++) {
    for (const member of members) member.again = 0;
    const startMs = performance.now();
    await Promise.all(members.map((member) => member.rebalance(i)));
    const ms = performance.now() - startMs;
    if (i === 0) continue; // the first time the group is formed
    if (members.some(({ again }) => again > 0)) throw new Error(`rebalance ${i} was more than one`);
    tookMs.push(ms);
  }
  for (const member of members) member.close();
  tookMs.sort((a, b) => a - b);
  return { p50: percentile(tookMs, 50), max: tookMs[tookMs.length - 1] };
}

console.log(JSON.stringify(await run()));
