import { errorName } from '../../protocol/errors.ts';
import type { Int64 } from '../../protocol/int64.ts';
import { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts';
import { OffsetFetchRequest, OffsetFetchResponse } from '../../protocol/messages/09-offset-fetch.ts';
import { FindCoordinatorRequest, FindCoordinatorResponse } from '../../protocol/messages/10-find-coordinator.ts';
import { InitProducerIdRequest, InitProducerIdResponse } from '../../protocol/messages/22-init-producer-id.ts';
import {
  AddPartitionsToTxnRequest,
  AddPartitionsToTxnResponse,
} from '../../protocol/messages/24-add-partitions-to-txn.ts';
import { AddOffsetsToTxnRequest, AddOffsetsToTxnResponse } from '../../protocol/messages/25-add-offsets-to-txn.ts';
import { EndTxnRequest, EndTxnResponse } from '../../protocol/messages/26-end-txn.ts';
import { WriteTxnMarkersRequest, WriteTxnMarkersResponse } from '../../protocol/messages/27-write-txn-markers.ts';
import { TxnOffsetCommitRequest, TxnOffsetCommitResponse } from '../../protocol/messages/28-txn-offset-commit.ts';
import {
  DescribeTransactionsRequest,
  DescribeTransactionsResponse,
} from '../../protocol/messages/65-describe-transactions.ts';
import { ListTransactionsRequest, ListTransactionsResponse } from '../../protocol/messages/66-list-transactions.ts';
import { encodeBatch } from '../../protocol/records/encode.ts';
import type { InputOf } from '../../protocol/schema.ts';
import { WireClient } from '../../test/support/wire-client.ts';
import { eventually } from '../helpers.ts';

const Init = { request: InitProducerIdRequest, response: InitProducerIdResponse };
const Add = { request: AddPartitionsToTxnRequest, response: AddPartitionsToTxnResponse };
const AddOffsets = { request: AddOffsetsToTxnRequest, response: AddOffsetsToTxnResponse };
const End = { request: EndTxnRequest, response: EndTxnResponse };
const Markers = { request: WriteTxnMarkersRequest, response: WriteTxnMarkersResponse };
const Commit = { request: TxnOffsetCommitRequest, response: TxnOffsetCommitResponse };
const Produce = { request: ProduceRequest, response: ProduceResponse };
const Describe = { request: DescribeTransactionsRequest, response: DescribeTransactionsResponse };
const List = { request: ListTransactionsRequest, response: ListTransactionsResponse };
const Find = { request: FindCoordinatorRequest, response: FindCoordinatorResponse };
const OffsetFetch = { request: OffsetFetchRequest, response: OffsetFetchResponse };

/** Kafka says the second one while it has no producer ids at hand. */
const BUSY = ['CONCURRENT_TRANSACTIONS', 'COORDINATOR_LOAD_IN_PROGRESS'];

export interface Producer {
  producerId: Int64;
  producerEpoch: number;
}

/** Hand-made requests about one transactional id, each noted with what came of it. */
export class Steps {
  readonly lines: string[] = [];
  readonly id: string;
  readonly topic: string;
  readonly groupId: string;
  private readonly client: WireClient;
  /** Producer ids differ between brokers: they are noted in the order in which they come. */
  private readonly producers: Int64[] = [];

  private constructor(client: WireClient, id: string, topic: string) {
    this.client = client;
    this.id = id;
    this.topic = topic;
    this.groupId = `${id}-group`;
  }

  /** The topic must exist. Both coordinators serve when it comes; `known`: the transactional id is one that was used before. */
  static async open(bootstrapServers: string, id: string, topic: string, known = false): Promise<Steps> {
    const client = await WireClient.connect(bootstrapServers);
    const steps = new Steps(client, id, topic);
    for (const [keyType, key] of [
      [0, steps.groupId],
      [1, id],
    ] as const) {
      await eventually(async () => (await client.request(Find, 3, { key, keyType })).errorCode === 0);
    }
    // the coordinator may still be loading
    await eventually(async () => {
      const described = await client.request(Describe, 0, { transactionalIds: [id] });
      return errorName(described.transactionStates[0].errorCode) === (known ? 'NONE' : 'TRANSACTIONAL_ID_NOT_FOUND');
    });
    await eventually(async () => {
      const asked = { groupId: steps.groupId, topics: null };
      return (await client.request(OffsetFetch, 7, asked)).errorCode === 0;
    });
    return steps;
  }

  close(): Promise<void> {
    return this.client.close();
  }

  private note(what: string, ...seen: (string | number | boolean)[]): void {
    this.lines.push(`${what}: ${seen.join(' ')}`);
  }

  private named(producerId: Int64): string {
    if (producerId === -1) return '-1';
    if (!this.producers.includes(producerId)) this.producers.push(producerId);
    return `P${this.producers.indexOf(producerId)}`;
  }

  /** Again while the coordinator is busy with the end of the transaction before: when that is over is a matter of time. */
  private async settled<T>(ask: () => Promise<T>, codeOf: (answer: T) => number, wait: boolean): Promise<T> {
    if (!wait) return ask();
    return eventually(async () => {
      const answer = await ask();
      return BUSY.includes(errorName(codeOf(answer))) ? undefined : answer;
    }) as Promise<T>;
  }

  async init(
    what: string,
    version: number,
    body: InputOf<typeof InitProducerIdRequest> = {},
    wait = true,
  ): Promise<Producer> {
    const request = { transactionalId: this.id, transactionTimeoutMs: 60_000, ...body };
    const ask = () => this.client.request(Init, version, request);
    const { errorCode, producerId, producerEpoch } = await this.settled(ask, (r) => r.errorCode, wait);
    this.note(`${what} (InitProducerId ${version})`, errorName(errorCode), this.named(producerId), producerEpoch);
    return { producerId, producerEpoch };
  }

  async add(
    what: string,
    version: number,
    producer: Producer,
    { partitions = [0], verifyOnly = false, id = this.id, topic = this.topic, wait = true } = {},
  ): Promise<void> {
    const topics = [{ name: topic, partitions }];
    const body =
      version < 4
        ? {
            v3AndBelowTransactionalId: id,
            v3AndBelowProducerId: producer.producerId,
            v3AndBelowProducerEpoch: producer.producerEpoch,
            v3AndBelowTopics: topics,
          }
        : { transactions: [{ transactionalId: id, ...producer, verifyOnly, topics }] };
    const codes = (r: Awaited<ReturnType<typeof ask>>) => {
      const results = version < 4 ? r.resultsByTopicV3AndBelow : r.resultsByTransaction[0].topicResults;
      return results.flatMap(({ resultsByPartition }) =>
        [...resultsByPartition]
          .sort((a, b) => a.partitionIndex - b.partitionIndex)
          .map(({ partitionErrorCode }) => partitionErrorCode),
      );
    };
    const ask = () => this.client.request(Add, version, body);
    const answer = await this.settled(ask, (r) => codes(r)[0], wait);
    this.note(`${what} (AddPartitionsToTxn ${version})`, ...codes(answer).map(errorName));
  }

  async addOffsets(what: string, version: number, producer: Producer, id = this.id): Promise<void> {
    const body = { transactionalId: id, ...producer, groupId: this.groupId };
    const { errorCode } = await this.settled(
      () => this.client.request(AddOffsets, version, body),
      (r) => r.errorCode,
      true,
    );
    this.note(`${what} (AddOffsetsToTxn ${version})`, errorName(errorCode));
  }

  async end(what: string, version: number, producer: Producer, committed: boolean, id = this.id): Promise<Producer> {
    const body = { transactionalId: id, ...producer, committed };
    const ask = () => this.client.request(End, version, body);
    const { errorCode, producerId, producerEpoch } = await this.settled(ask, (r) => r.errorCode, true);
    const seen = version >= 5 ? [this.named(producerId), producerEpoch] : [];
    this.note(`${what}, ${committed ? 'commit' : 'abort'} (EndTxn ${version})`, errorName(errorCode), ...seen);
    return { producerId, producerEpoch };
  }

  async produce(
    what: string,
    version: number,
    producer: Producer,
    baseSequence: number,
    { id = this.id as string | null, transactional = true, partition = 0, value = 'v' } = {},
  ): Promise<void> {
    const records = () => {
      const batch = { ...producer, baseSequence, transactional };
      return encodeBatch([{ value: Buffer.from(value), timestamp: Date.now() }], batch);
    };
    const ask = () => {
      const topicData = [{ name: this.topic, partitionData: [{ index: partition, records: records() }] }];
      return this.client.request(Produce, version, { transactionalId: id, acks: -1, timeoutMs: 5000, topicData });
    };
    const one = (r: Awaited<ReturnType<typeof ask>>) => r.responses[0].partitionResponses[0];
    const answer = one(await this.settled(ask, (r) => one(r).errorCode, true));
    this.note(`${what} (Produce ${version})`, errorName(answer.errorCode), `'${answer.errorMessage ?? ''}'`);
  }

  /** One request for a partition each; the second one's batch is not transactional where it has no producer. */
  async produceTwo(what: string, version: number, producer: Producer, second: Producer | null): Promise<void> {
    const records = (by: Producer | null) => {
      const header = by === null ? {} : { ...by, baseSequence: 0, transactional: true };
      return encodeBatch([{ value: Buffer.from('v'), timestamp: Date.now() }], header);
    };
    const partitionData = [producer, second].map((by, index) => ({ index, records: records(by) }));
    const topicData = [{ name: this.topic, partitionData }];
    const body = { transactionalId: this.id, acks: -1, timeoutMs: 5000, topicData };
    const { responses } = await this.client.request(Produce, version, body);
    const inOrder = responses[0].partitionResponses.toSorted((a, b) => a.index - b.index);
    this.note(`${what} (Produce ${version})`, ...inOrder.map(({ errorCode }) => errorName(errorCode)));
  }

  async commitOffsets(
    what: string,
    version: number,
    producer: Producer,
    more: Partial<InputOf<typeof TxnOffsetCommitRequest>> & {
      partitions?: number[];
      metadata?: string;
      offset?: number;
    } = {},
  ): Promise<void> {
    const { partitions: indexes = [0], metadata = '', offset = 5, ...rest } = more;
    const partitions = indexes.map((partitionIndex) => ({
      partitionIndex,
      committedOffset: offset,
      committedMetadata: metadata,
    }));
    const topics = [{ name: this.topic, partitions }];
    const body = { transactionalId: this.id, groupId: this.groupId, ...producer, topics, ...rest };
    const codes = (r: Awaited<ReturnType<typeof ask>>) => r.topics.flatMap((t) => t.partitions.map((p) => p.errorCode));
    const ask = () => this.client.request(Commit, version, body);
    const answer = await this.settled(ask, (r) => codes(r)[0], true);
    this.note(`${what} (TxnOffsetCommit ${version})`, ...codes(answer).map(errorName));
  }

  async offset(what: string, requireStable: boolean): Promise<void> {
    const topics = [{ name: this.topic, partitionIndexes: [0] }];
    const body = { groupId: this.groupId, topics, requireStable };
    const { topics: found } = await this.client.request(OffsetFetch, 7, body);
    const { errorCode, committedOffset } = found[0].partitions[0];
    this.note(`${what} (OffsetFetch 7)`, errorName(errorCode), Number(committedOffset));
  }

  async markers(
    what: string,
    version: number,
    producer: Producer,
    { commit = false, coordinatorEpoch = 0, transactionVersion = 0, topic = this.topic, partitions = [0] } = {},
  ): Promise<void> {
    const topics = [{ name: topic, partitionIndexes: partitions }];
    const marker = { ...producer, transactionResult: commit, topics, coordinatorEpoch };
    const markers = [version >= 2 ? { ...marker, transactionVersion } : marker];
    const answer = await this.client.request(Markers, version, { markers });
    const codes = answer.markers.flatMap((m) => m.topics.flatMap((t) => t.partitions.map((p) => p.errorCode)));
    this.note(`${what} (WriteTxnMarkers ${version})`, ...codes.map(errorName));
  }

  async describe(what: string, id = this.id): Promise<void> {
    const answer = await eventually(async () => {
      const described = await this.client.request(Describe, 0, { transactionalIds: [id] });
      return described.transactionStates[0].transactionState.startsWith('Prepare') ? undefined : described;
    });
    const { errorCode, transactionState, transactionTimeoutMs, producerId, producerEpoch, topics } =
      answer.transactionStates[0];
    const partitions = topics.flatMap((t) =>
      [...t.partitions].sort().map((p) => (t.topic === this.topic ? `t-${p}` : t.topic)),
    );
    const who = errorCode === 0 ? this.named(producerId) : String(producerId);
    const seen = [errorName(errorCode), transactionState, transactionTimeoutMs, who, producerEpoch, ...partitions];
    this.note(`${what} (DescribeTransactions 0)`, ...seen);
  }

  /** Waits until the transaction is in one of these states, which come with time. */
  async reach(...states: string[]): Promise<void> {
    await eventually(async () => {
      const answer = await this.client.request(Describe, 0, { transactionalIds: [this.id] });
      return states.includes(answer.transactionStates[0].transactionState);
    });
  }

  async list(what: string, version: number, body: InputOf<typeof ListTransactionsRequest>): Promise<void> {
    const { errorCode, unknownStateFilters, transactionStates } = await this.client.request(List, version, body);
    const mine = transactionStates.filter(({ transactionalId }) => transactionalId === this.id);
    const found = mine.map((one) => `${this.named(one.producerId)} ${one.transactionState}`);
    this.note(
      `${what} (ListTransactions ${version})`,
      errorName(errorCode),
      ...[...unknownStateFilters].sort(),
      ...found,
    );
  }
}
