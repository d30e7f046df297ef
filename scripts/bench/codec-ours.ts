/** The rows of the codec benchmark on our side: one message, one version, one direction. */
import { decode, encode } from '../../protocol/compile.ts';
import { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts';
import { FetchRequest, FetchResponse } from '../../protocol/messages/01-fetch.ts';
import { MetadataRequest, MetadataResponse } from '../../protocol/messages/03-metadata.ts';
import { JoinGroupRequest, JoinGroupResponse } from '../../protocol/messages/11-join-group.ts';
import { readRecords } from '../../protocol/records/decode.ts';
import type { Fields, InputOf, Message } from '../../protocol/schema.ts';
import type { Size } from './codec-samples.ts';
import * as samples from './codec-samples.ts';

/** One thing that is done over and over. `bytes` is what it makes or takes. */
export interface Work {
  readonly bytes: Buffer;
  run(): unknown;
}

export interface Versions {
  readonly produce: number;
  readonly fetch: number;
  readonly metadata: number;
  readonly joinGroup: number;
}

const encoding = (make: () => Buffer): Work => ({ bytes: make(), run: make });

function decoding<F extends Fields>(message: Message<F>, version: number, value: InputOf<Message<F>>): Work {
  const bytes = encode(message, version, value);
  return { bytes, run: () => decode(message, version, bytes) };
}

/** Topic ids stand in Fetch from this version on, in Produce too. */
const FETCH_IDS_FROM = 13;

/** What a client does, and what the libraries do, too: encode requests, decode responses. Records included. */
export function clientWork(size: Size, versions: Versions): Record<string, Work> {
  const records = samples.recordsOf(size);
  const { topics, partitions } = samples.SHAPE[size];
  const withIds = versions.fetch >= FETCH_IDS_FROM;
  const request = samples.produceRequest(size, Buffer.alloc(0));
  const produce = () => {
    // each partition's batch is built anew, as the libraries do
    for (const topic of request.topicData) {
      for (const partition of topic.partitionData) partition.records = samples.batchOf(records);
    }
    return encode(ProduceRequest, versions.produce, request);
  };
  const fetched = encode(FetchResponse, versions.fetch, samples.fetchResponse(size, withIds));
  const fetch = samples.fetchRequest(size, withIds);
  const metadata = samples.metadataRequest(size);
  const joinGroup = samples.joinGroupRequest();
  return {
    [`Produce request encode (${topics * partitions} x ${records.length} records)`]: encoding(produce),
    'Produce response decode': decoding(ProduceResponse, versions.produce, samples.produceResponse(size)),
    'Fetch request encode': encoding(() => encode(FetchRequest, versions.fetch, fetch)),
    [`Fetch response decode (${topics * partitions} x ${records.length} records)`]: {
      bytes: fetched,
      run: () => readFetched(fetched, versions.fetch),
    },
    'Metadata request encode': encoding(() => encode(MetadataRequest, versions.metadata, metadata)),
    'Metadata response decode': decoding(MetadataResponse, versions.metadata, samples.metadataResponse(size)),
    'JoinGroup request encode': encoding(() => encode(JoinGroupRequest, versions.joinGroup, joinGroup)),
    'JoinGroup response decode': decoding(JoinGroupResponse, versions.joinGroup, samples.joinGroupResponse(size)),
  };
}

function readFetched(bytes: Buffer, version: number): unknown {
  const response = decode(FetchResponse, version, bytes);
  return response.responses.map((t) => t.partitions.map((p) => (p.records === null ? [] : readRecords(p.records))));
}

/** What the broker does: decode requests, encode responses; record batches pass through untouched. */
export function brokerWork(size: Size, versions: Versions): Record<string, Work> {
  const withIds = versions.fetch >= FETCH_IDS_FROM;
  const batch = samples.batchOf(samples.recordsOf(size));
  const produced = samples.produceResponse(size);
  const fetched = samples.fetchResponse(size, withIds);
  const metadata = samples.metadataResponse(size);
  const joined = samples.joinGroupResponse(size);
  return {
    'Produce request decode': decoding(ProduceRequest, versions.produce, samples.produceRequest(size, batch)),
    'Produce response encode': encoding(() => encode(ProduceResponse, versions.produce, produced)),
    'Fetch request decode': decoding(FetchRequest, versions.fetch, samples.fetchRequest(size, withIds)),
    'Fetch response encode': encoding(() => encode(FetchResponse, versions.fetch, fetched)),
    'Metadata request decode': decoding(MetadataRequest, versions.metadata, samples.metadataRequest(size)),
    'Metadata response encode': encoding(() => encode(MetadataResponse, versions.metadata, metadata)),
    'JoinGroup request decode': decoding(JoinGroupRequest, versions.joinGroup, samples.joinGroupRequest()),
    'JoinGroup response encode': encoding(() => encode(JoinGroupResponse, versions.joinGroup, joined)),
  };
}
