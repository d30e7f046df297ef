/** odradek and Apache Kafka in turns on one data directory and one port, while clients live on. */
import { describe, it, onTestFinished } from 'vitest';
import { type BrokerName, newHome, type OwnBroker, removeHome, startBroker } from '../brokers.ts';
import { oracleAvailable } from '../oracle/jars.ts';

const TIMEOUT_MS = 240_000;

interface Turns {
  readonly order: readonly BrokerName[];
  /** How each turn ends. */
  readonly end: 'stop' | 'kill';
}

const ORDERS: readonly Turns[] = [
  { order: ['odradek', 'kafka', 'odradek'], end: 'stop' },
  { order: ['kafka', 'odradek', 'kafka'], end: 'kill' },
];

/** A test of what `title` says for each order of brokers; skipped with a word where Apache Kafka cannot be run. */
export function describeTurns(name: string, title: string, run: (turns: Turns) => Promise<void>): void {
  describe(name, () => {
    const oracle = oracleAvailable();
    if (oracle.available) it.each(ORDERS)(`$order, each ended by $end: ${title}`, run, TIMEOUT_MS);
    else it.skip(`SKIPPED, Apache Kafka cannot be run: ${oracle.reason}`, () => {});
  });
}

/** What clients of these brokers in a hurry to see a new one need, and few partitions of internal topics. */
const PROPERTIES = {
  'offsets.topic.num.partitions': '2',
  'broker.heartbeat.interval.ms': '200',
  'broker.session.timeout.ms': '1000',
};

/** The broker whose turn it is. It is gone, with the directory, when the test is over. */
export class BrokerInTurn {
  readonly bootstrapServers: string;
  private readonly options: Parameters<typeof startBroker>[1];
  private broker: OwnBroker;

  private constructor(options: Parameters<typeof startBroker>[1], broker: OwnBroker) {
    this.options = options;
    this.broker = broker;
    this.bootstrapServers = broker.bootstrapServers;
  }

  static async start(name: BrokerName, title: string, properties: Record<string, string> = {}): Promise<BrokerInTurn> {
    const home = await newHome(title);
    const options = { ...home, properties: { ...PROPERTIES, ...properties } };
    const turn = new BrokerInTurn(options, await startBroker(name, options));
    onTestFinished(async () => {
      await turn.broker.stop();
      removeHome(home);
    });
    return turn;
  }

  async handTo(next: BrokerName, end: Turns['end']): Promise<void> {
    await this.broker[end]();
    this.broker = await startBroker(next, this.options);
  }
}
