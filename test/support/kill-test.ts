/**
 * Kills a broker again and again under load, and looks whether anything that it acknowledged is gone.
 *
 * Idempotent producers write to partitions of three topics with acks=all: one whose segments only roll, one that retention trims, one
 * with cleanup.policy=compact. Each sends one batch after the other, and sends an unanswered one again, with its sequence, to the broker
 * that comes after. Each batch is acknowledged with an offset; in the end the partition has to have just that batch at that offset.
 */
import { ErrorCode } from '../../protocol/errors.ts';
import { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts';
import { FetchRequest, FetchResponse } from '../../protocol/messages/01-fetch.ts';
import { ListOffsetsRequest, ListOffsetsResponse } from '../../protocol/messages/02-list-offsets.ts';
import { CreateTopicsRequest, CreateTopicsResponse } from '../../protocol/messages/19-create-topics.ts';
import { InitProducerIdRequest, InitProducerIdResponse } from '../../protocol/messages/22-init-producer-id.ts';
import { readRecords } from '../../protocol/records/decode.ts';
import { encodeBatch } from '../../protocol/records/encode.ts';
import { BrokerProcess } from './broker-process.ts';
import { SeededRandom } from './seeded-random.ts';
import { WireClient } from './wire-client.ts';

const Produce = { request: ProduceRequest, response: ProduceResponse };
const Fetch = { request: FetchRequest, response: FetchResponse };
const ListOffsets = { request: ListOffsetsRequest, response: ListOffsetsResponse };
const CreateTopics = { request: CreateTopicsRequest, response: CreateTopicsResponse };
const InitProducerId = { request: InitProducerIdRequest, response: InitProducerIdResponse };

const EARLIEST = -2;
const LATEST = -1;
const PARTITIONS = 2;
const PRODUCERS_A_PARTITION = 2;
const FETCH_BYTES = 4_194_304;
/** Time for a broker to take load before it is killed, at most. */
const MAX_LOAD_MS = 250;

const SMALL_SEGMENTS = { 'segment.bytes': '1048576', 'file.delete.delay.ms': '100' };
const TOPICS: Record<string, Record<string, string>> = {
  rolled: SMALL_SEGMENTS,
  trimmed: { ...SMALL_SEGMENTS, 'retention.bytes': '3000000' },
  compacted: { ...SMALL_SEGMENTS, 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.01' },
};
const BROKER_SETTINGS = [
  'log.retention.check.interval.ms=100',
  'log.cleaner.backoff.ms=100',
  'log.flush.offset.checkpoint.interval.ms=200',
];

interface Acknowledged {
  readonly offset: number;
  readonly count: number;
}

/** One producer of one partition. */
interface Load {
  readonly topic: string;
  readonly partition: number;
  producerId: number;
  producerEpoch: number;
  sequence: number;
  /** Sent, not answered; to be sent again as it is. */
  unanswered: Buffer | null;
  /** By the sequence of the batch. */
  readonly acknowledged: Map<number, Acknowledged>;
}

export interface KillTestOptions {
  readonly directory: string;
  readonly kills: number;
  readonly seed: number;
  readonly port?: number;
  /** How often all partitions are read whole; the last time is after the last kill. */
  readonly verifyEvery?: number;
  readonly report?: (line: string) => void;
}

export interface KillTestResult {
  readonly kills: number;
  readonly acknowledgedRecords: number;
  /** Batches that were sent again after a kill. */
  readonly resent: number;
  readonly startMsMedian: number;
  readonly startMsMax: number;
}

export class KillTest {
  readonly #options: KillTestOptions;
  readonly #random: SeededRandom;
  readonly #loads: Load[] = [];
  readonly #startMs: number[] = [];
  #resent = 0;
  #broker: BrokerProcess | null = null;

  /** Throws where something acknowledged is lost, doubled or elsewhere. */
  static async run(options: KillTestOptions): Promise<KillTestResult> {
    const test = new KillTest(options);
    try {
      return await test.#run();
    } finally {
      await test.#broker?.end('SIGKILL');
    }
  }

  private constructor(options: KillTestOptions) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
  }

  async #run(): Promise<KillTestResult> {
    const { kills, verifyEvery = 10, report = () => {} } = this.#options;
    await this.#start();
    await this.#prepare();
    for (let kill = 1; kill <= kills; kill++) {
      await this.#loadAndKill();
      await this.#start();
      if (kill % verifyEvery === 0 || kill === kills) await this.#verify();
      if (kill % verifyEvery === 0) report(`${kill} kills, ${this.#acknowledgedRecords()} records acknowledged`);
    }
    await this.#broker?.end('SIGTERM');
    await this.#start();
    await this.#verify();
    const sorted = this.#startMs.sort((a, b) => a - b);
    return {
      kills,
      acknowledgedRecords: this.#acknowledgedRecords(),
      resent: this.#resent,
      startMsMedian: sorted[sorted.length >> 1],
      startMsMax: sorted[sorted.length - 1],
    };
  }

  async #start(): Promise<void> {
    const { directory, port = 0 } = this.#options;
    const settings = BROKER_SETTINGS.flatMap((setting) => ['--set', setting]);
    this.#broker = await BrokerProcess.start(['--port', String(port), '--data-dir', directory, ...settings]);
    this.#startMs.push(this.#broker.startMs);
  }

  #connect(): Promise<WireClient> {
    return WireClient.connect((this.#broker as BrokerProcess).bootstrapServers);
  }

  async #prepare(): Promise<void> {
    const client = await this.#connect();
    const topics = Object.entries(TOPICS).map(([name, configs]) => ({
      name,
      numPartitions: PARTITIONS,
      replicationFactor: 1,
      configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
    }));
    const created = await client.request(CreateTopics, 5, { topics, timeoutMs: 10_000 });
    for (const { name, errorCode } of created.topics) check(errorCode === 0, `${name}: error ${errorCode} on creation`);
    for (const topic of Object.keys(TOPICS)) {
      for (let i = 0; i < PARTITIONS * PRODUCERS_A_PARTITION; i++) await this.#addLoad(client, topic, i % PARTITIONS);
    }
    await client.close();
  }

  async #addLoad(client: WireClient, topic: string, partition: number): Promise<void> {
    const answer = await client.request(InitProducerId, 4, { transactionalId: null, transactionTimeoutMs: 60_000 });
    check(answer.errorCode === 0, `error ${answer.errorCode} on InitProducerId`);
    this.#loads.push({
      topic,
      partition,
      producerId: Number(answer.producerId),
      producerEpoch: answer.producerEpoch,
      sequence: 0,
      unanswered: null,
      acknowledged: new Map(),
    });
  }

  async #loadAndKill(): Promise<void> {
    const broker = this.#broker as BrokerProcess;
    const working = this.#loads.map(async (load) => this.#produce(load, await this.#connect()));
    await new Promise((resolve) => setTimeout(resolve, this.#random.int(MAX_LOAD_MS)));
    await broker.end('SIGKILL');
    await Promise.all(working);
  }

  /** One batch after the other, until the connection breaks. */
  async #produce(load: Load, client: WireClient): Promise<void> {
    for (;;) {
      if (load.unanswered === null) load.unanswered = this.#nextBatch(load);
      else this.#resent += 1;
      const partitionData = [{ index: load.partition, records: Buffer.from(load.unanswered) }];
      const body = { acks: -1, timeoutMs: 10_000, topicData: [{ name: load.topic, partitionData }] };
      const response = await client.request(Produce, 9, body).catch(() => null);
      if (response === null) return;
      const { errorCode, baseOffset } = response.responses[0].partitionResponses[0];
      const where = `${load.topic}-${load.partition}, producer ${load.producerId}, sequence ${load.sequence}`;
      check(errorCode === ErrorCode.NONE, `${where}: error ${errorCode}`);
      const count = load.unanswered.readInt32BE(57);
      load.acknowledged.set(load.sequence, { offset: Number(baseOffset), count });
      load.sequence += count;
      load.unanswered = null;
    }
  }

  #nextBatch(load: Load): Buffer {
    const count = 1 + this.#random.int(5);
    const records = Array.from({ length: count }, (_, i) => ({
      // Every record has a key of its own, so that compaction, too, has to keep them all.
      key: Buffer.from(`${load.producerId}/${load.sequence + i}`),
      value: Buffer.alloc(this.#random.int(20_000), i),
      timestamp: Date.now(),
    }));
    const { producerId, producerEpoch, sequence: baseSequence } = load;
    return encodeBatch(records, { producerId, producerEpoch, baseSequence });
  }

  async #verify(): Promise<void> {
    const client = await this.#connect();
    for (const topic of Object.keys(TOPICS)) {
      for (let partition = 0; partition < PARTITIONS; partition++)
        await this.#verifyPartition(client, topic, partition);
    }
    await client.close();
  }

  async #verifyPartition(client: WireClient, topic: string, partition: number): Promise<void> {
    const end = await offsetOf(client, topic, partition, LATEST);
    let start: number;
    let keys: Map<number, string> | null;
    do {
      start = await offsetOf(client, topic, partition, EARLIEST);
      keys = await readKeys(client, topic, partition, start, end);
    } while (keys === null);
    const where = `${topic}-${partition}`;
    for (let offset = start; offset < end; offset++) check(keys.has(offset), `${where}: nothing at offset ${offset}`);
    check(new Set(keys.values()).size === keys.size, `${where}: a record is there twice`);
    check(start === 0 || topic === 'trimmed', `${where}: begins at ${start}`);
    for (const load of this.#loads) {
      if (load.topic !== topic || load.partition !== partition) continue;
      for (const [sequence, { offset, count }] of load.acknowledged) {
        for (let i = 0; i < count; i++) {
          if (offset + i < start) continue;
          const key = keys.get(offset + i);
          const expected = `${load.producerId}/${sequence + i}`;
          check(key === expected, `${where}: ${key ?? 'nothing'} at ${offset + i}, ${expected} was acknowledged there`);
        }
      }
    }
  }

  #acknowledgedRecords(): number {
    let sum = 0;
    for (const load of this.#loads) for (const { count } of load.acknowledged.values()) sum += count;
    return sum;
  }
}

async function offsetOf(client: WireClient, topic: string, partitionIndex: number, timestamp: number): Promise<number> {
  const topics = [{ name: topic, partitions: [{ partitionIndex, timestamp }] }];
  const answer = await client.request(ListOffsets, 5, { replicaId: -1, isolationLevel: 0, topics });
  const { errorCode, offset } = answer.topics[0].partitions[0];
  check(errorCode === 0, `${topic}-${partitionIndex}: error ${errorCode} on ListOffsets`);
  return Number(offset);
}

/** The keys of all records from `start` to `end`, by offset; null where retention has taken some meanwhile. */
async function readKeys(
  client: WireClient,
  topic: string,
  partition: number,
  start: number,
  end: number,
): Promise<Map<number, string> | null> {
  const keys = new Map<number, string>();
  for (let next = start; next < end; ) {
    const partitions = [{ partition, fetchOffset: next, partitionMaxBytes: FETCH_BYTES }];
    const body = { maxWaitMs: 0, minBytes: 1, sessionEpoch: -1, topics: [{ topic, partitions }] };
    const answer = await client.request(Fetch, 11, body);
    const { errorCode, records } = answer.responses[0].partitions[0];
    if (errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) return null;
    check(errorCode === 0, `${topic}-${partition}: error ${errorCode} at ${next}`);
    check(records !== null && records.length > 0, `${topic}-${partition}: no records at ${next} of ${end}`);
    for (let at = 0; at < records.length; at += records.readInt32BE(at + 8) + 12) {
      for (const record of readRecords(records, at)) {
        keys.set(Number(record.offset), String(record.key));
        next = Number(record.offset) + 1;
      }
    }
  }
  return keys;
}

function check(holds: boolean, text: string): asserts holds {
  if (!holds) throw new Error(text);
}
