import type { BrokerConfig } from '../../src/config/broker-config.ts';
import { firstRecords, newestFeatureLevels } from '../../src/controller/bootstrap.ts';
import { planRegisterBroker, planUnfenceBroker } from '../../src/controller/cluster-control.ts';
import { MetadataImage } from '../../src/controller/image.ts';
import type { Plan, PlanContext } from '../../src/controller/plan.ts';
import { decodeRecord, encodeRecord, type MetadataRecord } from '../../src/controller/records.ts';
import { Replay } from '../../src/controller/replay.ts';
import { planCreateTopics } from '../../src/controller/topic-control.ts';
import { brokerConfig } from '../config/samples.ts';
import { SeededRandom } from '../support/seeded-random.ts';

/** A controller without a log: what a plan writes is replayed at once. Node 1 is registered and serves. */
export class World {
  image = MetadataImage.EMPTY;
  readonly config: BrokerConfig = brokerConfig();
  private readonly random = new SeededRandom(1);
  private offset = 0;
  /** Of the quorum; a test may set it. */
  kraftVersion = 0;

  constructor() {
    this.replay(firstRecords(newestFeatureLevels(), 1));
    this.addBroker(1);
  }

  context(nodeId = 1): PlanContext {
    return { image: this.image, nodeId, kraftVersion: this.kraftVersion, config: this.config, random: this.random };
  }

  addBroker(id: number, serves = true): void {
    const registration = { endpoints: [], rack: null, directories: [this.random.uuid()] };
    this.replay(planRegisterBroker(this.context(id), registration, this.offset));
    if (serves) this.replay(planUnfenceBroker(this.context(id)));
  }

  /** A topic with these replicas of each partition. */
  addTopic(name: string, ...replicas: number[][]): void {
    const assignments = replicas.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds }));
    const topic = { name, numPartitions: -1, replicationFactor: -1, assignments, configs: [] };
    const request = { topics: [topic], timeoutMs: 0, validateOnly: false };
    this.run((context) => planCreateTopics(context, request));
  }

  /** Applies what the plan writes and gives its response and its records. */
  run<R>(plan: (context: PlanContext) => Plan<R>): R & { records: readonly MetadataRecord[] } {
    const { records, response } = plan(this.context());
    this.replay(records);
    return { ...response, records };
  }

  replay(records: readonly MetadataRecord[]): void {
    const replay = new Replay(this.image);
    for (const record of records) replay.apply(decodeRecord(encodeRecord(record)));
    this.offset += records.length;
    this.image = replay.finish({ offset: this.offset - 1, leaderEpoch: 1, timestampMs: 0 }).image;
  }
}

/** What Kafka 4.3.1 answers: null for success, else code and words. */
export type Answer = readonly [code: number, message: string | null] | null;

export function answerOf(result: { errorCode?: number; errorMessage?: string | null }): Answer {
  return result.errorCode === 0 ? null : [result.errorCode ?? 0, result.errorMessage ?? null];
}
