import type { CoordinatorRecord, StoredRecord } from '../../src/coordinator/log.ts';
import { CoordinatorRuntime } from '../../src/coordinator/runtime.ts';
import { DONE, type Outcome, type StateMachine } from '../../src/coordinator/state-machine.ts';
import type { TimerSink } from '../../src/coordinator/timers.ts';
import { CollectingLogger } from '../support/loggers.ts';
import { MemoryCoordinatorLog } from '../support/memory-coordinator-log.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

export interface Added {
  readonly name: string;
  readonly by: number;
}

/** The smallest state machine: sums by name. */
export class CounterMachine implements StateMachine<Added, string> {
  readonly sums = new Map<string, number>();
  readonly offsets: number[] = [];
  readonly timers: TimerSink<string>;
  isLoaded = false;
  isUnloaded = false;

  constructor(timers: TimerSink<string>) {
    this.timers = timers;
  }
  encode({ name, by }: Added): CoordinatorRecord {
    return { key: Buffer.from(name), value: Buffer.from(String(by)) };
  }
  replay({ name, by }: Added, offset: number): void {
    this.sums.set(name, (this.sums.get(name) ?? 0) + by);
    this.offsets.push(offset);
  }
  load({ key, value, offset }: StoredRecord): void {
    if (value?.toString() === 'NaN') throw new Error('not a number');
    this.replay({ name: String(key), by: Number(value) }, offset);
  }
  loaded(): void {
    this.isLoaded = true;
  }
  unloaded(): void {
    this.isUnloaded = true;
  }
  subjectOf(event: string): string {
    return event;
  }
  expired(name: string): Outcome<Added, void> {
    return { ...DONE, records: [{ name, by: 100 }] };
  }
}

/** Adds to a sum and answers with what it was when the operation began. */
export function add(name: string, by = 1): (machine: CounterMachine) => Outcome<Added, number> {
  return (machine) => ({ records: [{ name, by }], response: machine.sums.get(name) ?? 0 });
}

export function counters() {
  const clock = new VirtualClock();
  const log = new MemoryCoordinatorLog();
  const logger = new CollectingLogger();
  const machines: CounterMachine[] = [];
  const runtime = new CoordinatorRuntime<CounterMachine, Added, string>({
    clock,
    log,
    logger,
    commitTimeoutMs: () => 5000,
    create: (_partition, timers) => {
      const machine = new CounterMachine(timers);
      machines.push(machine);
      return machine;
    },
  });
  return { clock, log, logger, runtime, machines };
}
