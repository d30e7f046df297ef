import type { Broker } from '../broker.ts';
import { peakResidentMib } from '../proc.ts';
import { type Run, replay, type Scenario } from '../scenario.ts';
import { summary } from '../statistics.ts';
import { createTopic, untilServing } from '../topics.ts';

const TOPIC = 'bench-restart';
const RECORD_BYTES = 1024;
/** 1 MiB a partition, 1 GB in all. */
const RECORDS_A_PIECE = 1024;
const PIECES = 10;
/** 10 MiB a partition are then at least two rolled segments and an active one. */
const SEGMENT_BYTES = 4 * 1024 * 1024;
const BATCH_BYTES = 64 * 1024;
const STOP_TIMEOUT_MS = 300_000;

interface Restart {
  broker: Broker;
  /** From the spawn of the process until all partitions serve. */
  tookMs: number;
  peakMib: number;
}

/** Brings one data directory up again and again; the broker that runs at any moment is `broker`. */
class Restarts {
  private readonly run: Run;
  private readonly load: Record<string, string | number>;
  broker: Broker;
  private records = 0;

  constructor(run: Run) {
    this.run = run;
    this.broker = run.broker;
    this.load = {
      topic: TOPIC,
      partitions: run.sizes.restartPartitions,
      'record-bytes': RECORD_BYTES,
      'batch-bytes': BATCH_BYTES,
    };
  }

  /** In pieces that are written to disk in between, so that dirty pages stay below what makes the kernel hold up a writer. */
  async fill(): Promise<void> {
    const { restartPartitions } = this.run.sizes;
    await createTopic(this.broker.port, TOPIC, restartPartitions, { 'segment.bytes': `${SEGMENT_BYTES}` });
    for (let piece = 0; piece < PIECES; piece++) {
      const records = restartPartitions * RECORDS_A_PIECE;
      this.records += (await replay(this.run, { ...this.load, records })).records;
      await this.run.settleDisk();
    }
  }

  async stop(): Promise<void> {
    await this.broker.stop(STOP_TIMEOUT_MS);
  }

  async kill(): Promise<void> {
    await this.broker.kill();
  }

  /** Both contestants have written the same amount when they are killed: the faster one would else have more to look through. */
  async killWhileWriting(): Promise<void> {
    const killAfter = this.run.sizes.restartPartitions * RECORDS_A_PIECE;
    const written = await replay({ ...this.run, broker: this.broker }, { ...this.load, 'kill-after': killAfter });
    await this.broker.kill();
    this.records += written.records;
  }

  /** The page cache stays warm; what is dirty in it is written first, so that it does not slow the start. */
  async start(): Promise<Restart> {
    await this.run.settleDisk();
    this.broker = await this.run.startAgain(this.broker);
    const records = await untilServing(this.broker.port, [TOPIC], this.run.sizes.restartPartitions);
    const tookMs = performance.now() - this.broker.spawnedMs;
    if (records < this.records) throw new Error(`${records} of ${this.records} records are there after the start`);
    this.records = records;
    return { broker: this.broker, tookMs, peakMib: peakResidentMib(this.broker.pid) };
  }
}

const median = (restarts: readonly Restart[]): number =>
  summary(restarts.map(({ tookMs }) => tookMs))?.median ?? Number.NaN;

async function measure(restarts: Restarts, times: number): Promise<Record<string, number>> {
  await restarts.fill();
  await restarts.kill();
  const filled = await restarts.start();
  const clean: Restart[] = [];
  const killed: Restart[] = [];
  for (let i = 0; i < times; i++) {
    await restarts.stop();
    clean.push(await restarts.start());
    await restarts.killWhileWriting();
    killed.push(await restarts.start());
  }
  return {
    'restart.clean': median(clean),
    'restart.killed': median(killed),
    'restart.filled': filled.tookMs,
    'restart.memory': Math.max(...[filled, ...clean, ...killed].map(({ peakMib }) => peakMib)),
  };
}

/**
 * Starts on 10 GB in 1,000 partitions (10 MiB each, three segments), until every partition has a leader that answers: after
 * SIGTERM, after SIGKILL in the middle of writing 1 GB more, and after SIGKILL as soon as the 10 GB were written. No acknowledged
 * record may be missing.
 */
export const restart: Scenario = {
  name: 'restart',
  title: 'start on 1,000 partitions and 10 GB',
  broker: 'own',
  needsDisk: true,
  once: true,
  metrics: [
    {
      key: 'restart.clean',
      label: 'start on 10 GB, after a stop',
      unit: 'ms',
      better: 'lower',
      goal: { ratio: 0.1 },
      chart: true,
    },
    {
      key: 'restart.killed',
      label: 'start on 10 GB, killed under load',
      unit: 'ms',
      better: 'lower',
      goal: { ratio: 0.1 },
      chart: true,
    },
    {
      key: 'restart.filled',
      label: 'start on 10 GB, killed after the fill',
      unit: 'ms',
      better: 'lower',
      goal: { ratio: 0.1 },
    },
    { key: 'restart.memory', label: 'peak memory, start on 10 GB', unit: 'MiB', better: 'lower' },
  ],
  async run(run) {
    const restarts = new Restarts(run);
    try {
      return await measure(restarts, run.sizes.restarts);
    } finally {
      await restarts.kill();
    }
  },
};
