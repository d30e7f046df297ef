import { errorName } from '../../protocol/errors.ts';
import type { Int64 } from '../../protocol/int64.ts';
import { FetchRequest, FetchResponse } from '../../protocol/messages/01-fetch.ts';
import { FindCoordinatorRequest, FindCoordinatorResponse } from '../../protocol/messages/10-find-coordinator.ts';
import { CreateTopicsRequest, CreateTopicsResponse } from '../../protocol/messages/19-create-topics.ts';
import { DeleteTopicsRequest, DeleteTopicsResponse } from '../../protocol/messages/20-delete-topics.ts';
import { InitProducerIdRequest, InitProducerIdResponse } from '../../protocol/messages/22-init-producer-id.ts';
import {
  DescribeTransactionsRequest,
  DescribeTransactionsResponse,
} from '../../protocol/messages/65-describe-transactions.ts';
import { encodeBatch } from '../../protocol/records/encode.ts';
import type { InputOf, Message, MessageOf } from '../../protocol/schema.ts';
import { ZERO_UUID } from '../../protocol/uuid.ts';
import { WireClient } from '../../test/support/wire-client.ts';
import { eventually, times } from '../helpers.ts';

interface Api<Req extends Message, Res extends Message> {
  readonly request: Req;
  readonly response: Res;
}

export interface Producer {
  readonly producerId: Int64;
  readonly producerEpoch: number;
}

const Fetch = { request: FetchRequest, response: FetchResponse };
const Create = { request: CreateTopicsRequest, response: CreateTopicsResponse };
const Delete = { request: DeleteTopicsRequest, response: DeleteTopicsResponse };
const Init = { request: InitProducerIdRequest, response: InitProducerIdResponse };

const Find = { request: FindCoordinatorRequest, response: FindCoordinatorResponse };
const Describe = { request: DescribeTransactionsRequest, response: DescribeTransactionsResponse };
const TRANSACTION = 1;

/** Fields that say nothing of what is compared: times, and who leads the one node's partitions. */
const LEFT_OUT = new Set([
  'throttleTimeMs',
  'logAppendTimeMs',
  'transactionStartTimeMs',
  'nodeEndpoints',
  'currentLeader',
  'errorMessage',
]);

/** What fields hold that have nothing to say. */
const UNSET: ReadonlySet<unknown> = new Set([-1, -1n, '', ZERO_UUID]);

/** Hand-made requests, each noted with the whole of its answer. Names and ids that differ from run to run have stand-ins. */
export class Recording {
  readonly lines: string[] = [];
  readonly client: WireClient;
  private readonly standIns = new Map<string, string>();
  /** Producer ids that the broker has given. */
  private readonly producers = new Set<Int64>();

  private constructor(client: WireClient) {
    this.client = client;
  }

  static async open(bootstrapServers: string): Promise<Recording> {
    return new Recording(await WireClient.connect(bootstrapServers));
  }

  close(): Promise<void> {
    return this.client.close();
  }

  /** `text` is noted as `standIn`. */
  standIn(text: string, standIn: string): string {
    this.standIns.set(text, standIn);
    return text;
  }

  /** Asks, notes the answer and gives it. */
  async ask<Req extends Message, Res extends Message>(
    what: string,
    api: Api<Req, Res>,
    version: number,
    body: InputOf<Req>,
  ): Promise<MessageOf<Res>> {
    const answer = await this.client.request(api, version, body);
    this.lines.push(`${what} (${api.request.name.replace('Request', '')} ${version}): ${this.written(answer)}`);
    return answer as MessageOf<Res>;
  }

  private written(answer: unknown): string {
    return text(this.noted('', answer)).replaceAll('"', '');
  }

  /** A field as it is noted: lists in an order of their own, errors by name; undefined where it says nothing. */
  private noted(field: string, value: unknown): unknown {
    if (/errorCode$/i.test(field)) return errorName(value as number);
    if (LEFT_OUT.has(field) || UNSET.has(value)) return undefined;
    if (field === 'sessionId' && value !== 0) return 'S';
    if (field === 'producerId') return this.producers.has(value as Int64) ? 'P' : Number(value);
    if (typeof value === 'string') return this.named(value);
    if (typeof value === 'bigint') return Number(value);
    if (Buffer.isBuffer(value)) return `${value.length} bytes`;
    if (Array.isArray(value))
      return value.map((one) => this.noted('', one)).sort((a, b) => (text(a) < text(b) ? -1 : 1));
    return typeof value === 'object' && value !== null ? this.fieldsOf(value) : value;
  }

  private fieldsOf(value: object): object | undefined {
    const fields = Object.entries(value).map(([name, one]) => [name, this.noted(name, one)]);
    const said = fields.filter(([, one]) => one !== undefined);
    return said.length === 0 ? undefined : Object.fromEntries(said);
  }

  private named(name: string): string {
    return [...this.standIns].reduce((noted, [from, to]) => noted.replaceAll(from, to), name);
  }

  /** A topic that the broker serves, with a stand-in for its id; gives the id. */
  async topic(name: string, standIn: string, numPartitions = 2): Promise<string> {
    this.standIn(name, standIn);
    const { topics } = await this.client.request(Create, 7, {
      topics: [{ name, numPartitions, replicationFactor: 1 }],
      timeoutMs: 10_000,
    });
    const [{ errorCode, topicId }] = topics;
    if (errorCode !== 0) throw new Error(`${name} could not be made: ${errorName(errorCode)}`);
    this.standIn(topicId, `ID(${standIn})`);
    await this.served(name, numPartitions);
    return topicId;
  }

  /** Kafka's leaders serve some time after the topic is there. */
  private async served(topic: string, numPartitions: number): Promise<void> {
    const partitions = times(numPartitions, (partition) => ({ partition, fetchOffset: 0, partitionMaxBytes: 1 }));
    await eventually(async () => {
      const body = { maxWaitMs: 0, minBytes: 0, topics: [{ topic, partitions }] };
      const { responses } = await this.client.request(Fetch, 12, body);
      return responses[0].partitions.every(({ errorCode }) => errorCode === 0);
    });
  }

  /** The batches of a partition as a client gets them. */
  async records(topic: string, partition: number): Promise<Buffer> {
    const partitions = [{ partition, fetchOffset: 0, partitionMaxBytes: 1 << 20 }];
    const { responses } = await this.client.request(Fetch, 12, { topics: [{ topic, partitions }] });
    return responses[0].partitions[0].records as Buffer;
  }

  async deleteTopic(name: string): Promise<void> {
    const { responses } = await this.client.request(Delete, 6, { topics: [{ name }], timeoutMs: 10_000 });
    if (responses[0].errorCode !== 0) throw new Error(`${name} could not be deleted`);
  }

  /** The coordinator of the transactional id, which nobody has used, serves when it comes. */
  async ready(transactionalId: string): Promise<void> {
    await eventually(async () => {
      const found = await this.client.request(Find, 6, { keyType: TRANSACTION, coordinatorKeys: [transactionalId] });
      const described = await this.client.request(Describe, 0, { transactionalIds: [transactionalId] });
      const { errorCode } = described.transactionStates[0];
      return found.coordinators[0].errorCode === 0 && errorName(errorCode) === 'TRANSACTIONAL_ID_NOT_FOUND';
    });
  }

  /** A producer id, as soon as the broker has one to give. */
  async producer(transactionalId: string | null, version = 5): Promise<Producer> {
    const ask = { transactionalId, transactionTimeoutMs: 60_000 };
    const producer = await eventually(async () => {
      const answer = await this.client.request(Init, version, ask);
      return answer.errorCode === 0 ? answer : undefined;
    });
    this.producers.add(producer.producerId);
    return { producerId: producer.producerId, producerEpoch: producer.producerEpoch };
  }
}

const text = (value: unknown): string => JSON.stringify(value);

/** One batch of one record. */
export const oneRecord = (header: Parameters<typeof encodeBatch>[1] = {}): Buffer =>
  encodeBatch([{ value: Buffer.from('v'), timestamp: Date.now() }], header);
