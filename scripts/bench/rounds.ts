import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Broker, type Contestant, launch } from './broker.ts';
import { killLeftovers, run as runCommand, runWorker } from './child.ts';
import { kafkaTool } from './contestants/kafka.ts';
import { type Run, replay, type Scenario, type Sizes } from './scenario.ts';

/** Pairs of ports in use in turn, so that a broker never waits for the sockets of the one before. */
const PORT_PAIRS = 20;
const PROFILE = /\.(cpuprofile|heapprofile|heapsnapshot)$|^isolate-.*\.log$/;
const CONSUME = new URL('./consume.ts', import.meta.url);

/** Contestant -> metric -> one value a round; null where the scenario failed. */
export type Results = Record<string, Record<string, (number | null)[]>>;

export interface RoundsOptions {
  rounds: number;
  sizes: Sizes;
  firstPort: number;
  temporaryDirectory: string;
  keep: boolean;
  /** Where profiles that a broker left in its directory are copied to. */
  profileDirectory: string;
  log(line: string): void;
}

/** Runs the scenarios, round by round, for each contestant. A scenario that fails is reported and the rest goes on. */
export class Rounds {
  readonly results: Results = {};
  readonly notes = new Set<string>();
  readonly failures: string[] = [];
  private readonly options: RoundsOptions;
  private readonly directory: string;
  private readonly warm = new WeakSet<Broker>();
  private started = 0;

  constructor(options: RoundsOptions) {
    this.options = options;
    this.directory = mkdtempSync(join(options.temporaryDirectory, 'odradek-bench-'));
  }

  /** Every other round goes through the contestants in the opposite order, so that none always has the cooler machine. */
  async run(contestants: readonly Contestant[], scenarios: readonly Scenario[]): Promise<void> {
    for (let round = 1; round <= this.options.rounds; round++) {
      const order = round % 2 === 1 ? contestants : contestants.toReversed();
      for (const contestant of order) {
        this.options.log(`round ${round} of ${this.options.rounds}: ${contestant.name}`);
        await this.runContestant(
          contestant,
          scenarios.filter((scenario) => takesPart(contestant, scenario, round)),
        );
      }
    }
  }

  /** One start that counts for nothing: it brings the program files into the page cache and fills node's compile cache. */
  async rehearse(contestant: Contestant): Promise<void> {
    await this.end(await this.startBroker(contestant));
  }

  /** Removes the data directories; kills what may still run. */
  cleanUp(): void {
    killLeftovers();
    if (this.options.keep) this.options.log(`kept ${this.directory}`);
    else rmSync(this.directory, { recursive: true, force: true });
  }

  private async runContestant(contestant: Contestant, scenarios: readonly Scenario[]): Promise<void> {
    for (const scenario of scenarios) {
      if (scenario.broker === 'none') await this.measure(contestant, scenario, undefined);
    }
    let shared: Broker | undefined;
    for (const scenario of scenarios) {
      if (scenario.broker !== 'shared') continue;
      if (!shared?.running) shared = await this.startForScenario(contestant, scenario);
      if (shared) await this.measure(contestant, scenario, shared);
    }
    if (shared) await this.end(shared);
    for (const scenario of scenarios) {
      if (scenario.broker !== 'own') continue;
      const own = await this.startForScenario(contestant, scenario);
      if (!own) continue;
      await this.measure(contestant, scenario, own);
      await this.end(own);
    }
  }

  private async startForScenario(contestant: Contestant, scenario: Scenario): Promise<Broker | undefined> {
    try {
      return await this.startBroker(contestant);
    } catch (error) {
      this.record(contestant, scenario, {});
      this.fail(contestant, scenario, error);
      return undefined;
    }
  }

  private async measure(contestant: Contestant, scenario: Scenario, broker: Broker | undefined): Promise<void> {
    try {
      const values = await scenario.run(this.context(contestant, broker));
      this.record(contestant, scenario, values);
      this.options.log(`  ${scenario.name}: ${describe(values)}`);
    } catch (error) {
      this.record(contestant, scenario, {});
      this.fail(contestant, scenario, error);
    }
  }

  private context(contestant: Contestant, broker: Broker | undefined): Run {
    const run: Run = {
      sizes: this.options.sizes,
      contestant,
      get broker(): Broker {
        if (!broker) throw new Error('this scenario starts its own brokers');
        return broker;
      },
      startFresh: () => this.startBroker(contestant),
      startAgain: (ended) => launch(contestant, ended.directory, ended.port),
      kafkaTool,
      warmUp: () => this.warmUp(run),
      settleDisk: async () => void (await runCommand({ file: 'sync', args: ['-f', this.directory] })),
      note: (text) => void this.notes.add(`${contestant.name}: ${text}`),
    };
    return run;
  }

  private async warmUp(run: Run): Promise<void> {
    const { broker, sizes } = run;
    if (this.warm.has(broker)) return;
    this.warm.add(broker);
    const topic = 'bench-warm-up';
    await replay(run, { topic, seconds: sizes.warmUpSeconds, 'warmup-seconds': 0 });
    await runWorker(CONSUME, { port: broker.port, topic, seconds: 1 });
  }

  private async startBroker(contestant: Contestant): Promise<Broker> {
    const number = this.started++;
    const port = this.options.firstPort + (number % PORT_PAIRS) * 2;
    const directory = join(this.directory, `${contestant.name}-${number}`);
    mkdirSync(directory, { recursive: true });
    await contestant.prepare(directory, port);
    return launch(contestant, directory, port);
  }

  private async end(broker: Broker): Promise<void> {
    try {
      await broker.stop();
    } catch (error) {
      this.failures.push(`${broker.contestant.name}: ${(error as Error).message}`);
    }
    for (const file of readdirSync(broker.directory).filter((name) => PROFILE.test(name))) {
      mkdirSync(this.options.profileDirectory, { recursive: true });
      const target = join(this.options.profileDirectory, file);
      cpSync(join(broker.directory, file), target);
      this.options.log(`  profile: ${target}`);
    }
    if (!this.options.keep) rmSync(broker.directory, { recursive: true, force: true });
  }

  private record(contestant: Contestant, scenario: Scenario, values: Record<string, number>): void {
    this.results[contestant.name] ??= {};
    const ofContestant = this.results[contestant.name];
    for (const { key } of scenario.metrics) {
      ofContestant[key] ??= [];
      ofContestant[key].push(Number.isFinite(values[key]) ? values[key] : null);
    }
  }

  private fail(contestant: Contestant, scenario: Scenario, error: unknown): void {
    const line = `${contestant.name}, ${scenario.name}: ${(error as Error).message}`;
    this.failures.push(line);
    this.options.log(`  FAILED ${line}`);
  }
}

function takesPart(contestant: Contestant, scenario: Scenario, round: number): boolean {
  return !(scenario.needsDisk && contestant.inMemory) && !(scenario.once && round > 1);
}

function describe(values: Record<string, number>): string {
  return Object.entries(values)
    .map(([key, value]) => `${key} ${Number(value.toPrecision(4)).toLocaleString('en-US')}`)
    .join(', ');
}
