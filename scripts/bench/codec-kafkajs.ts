/** The codecs inside kafkajs, on the work of codec-ours.ts. They are not public: this reaches into its sources. */
import { createRequire } from 'node:module';
import type { Versions, Work } from './codec-ours.ts';
import type { Size } from './codec-samples.ts';
import * as samples from './codec-samples.ts';

const require = createRequire(import.meta.url);

type Request = (args: unknown) => { encode(): Promise<{ buffer: Buffer }> };
interface Response {
  decode(bytes: Buffer): Promise<unknown>;
}
const requestOf = (api: string, version: number) =>
  require(`kafkajs/src/protocol/requests/${api}/v${version}/request`) as Request;
const responseOf = (api: string, version: number) =>
  require(`kafkajs/src/protocol/requests/${api}/v${version}/response`) as Response;

/** The newest versions that kafkajs 2.2 has. */
export const KAFKAJS_VERSIONS: Versions = { produce: 7, fetch: 11, metadata: 6, joinGroup: 5 };

/** In the order of `clientWork`; decoding takes our bytes. */
export async function kafkajsWork(size: Size, bytes: readonly Buffer[]): Promise<Work[]> {
  const { produce, fetch, metadata, joinGroup } = KAFKAJS_VERSIONS;
  const ours = samples.fetchRequest(size, false);
  const messages = samples.recordsOf(size).map(({ key, value, timestamp }) => ({ key, value, timestamp, headers: {} }));
  const { topics, partitions } = samples.SHAPE[size];
  const produceArgs = {
    acks: -1,
    timeout: 30_000,
    transactionalId: null,
    topicData: samples.list(topics, (t) => ({
      topic: samples.topicName(t),
      partitions: samples.list(partitions, (p) => ({ partition: p, messages })),
    })),
  };
  const fetchArgs = {
    replicaId: -1,
    maxWaitTime: ours.maxWaitMs,
    minBytes: ours.minBytes,
    maxBytes: ours.maxBytes,
    isolationLevel: ours.isolationLevel,
    topics: ours.topics.map((t, i) => ({
      topic: samples.topicName(i),
      partitions: t.partitions.map((p) => ({ ...p, maxBytes: p.partitionMaxBytes })),
    })),
  };
  const join = samples.joinGroupRequest();
  const joinArgs = {
    ...join,
    sessionTimeout: join.sessionTimeoutMs,
    rebalanceTimeout: join.rebalanceTimeoutMs,
    groupProtocols: join.protocols,
  };
  const metadataArgs = {
    topics: samples.metadataRequest(size).topics.map((t) => t.name),
    allowAutoTopicCreation: true,
  };
  return Promise.all([
    encoding(requestOf('produce', produce), produceArgs),
    decoding(responseOf('produce', produce), bytes[1]),
    encoding(requestOf('fetch', fetch), fetchArgs),
    decoding(responseOf('fetch', fetch), bytes[3]),
    encoding(requestOf('metadata', metadata), metadataArgs),
    decoding(responseOf('metadata', metadata), bytes[5]),
    encoding(requestOf('joinGroup', joinGroup), joinArgs),
    decoding(responseOf('joinGroup', joinGroup), bytes[7]),
  ]);
}

async function encoding(request: Request, args: unknown): Promise<Work> {
  const run = async () => (await request(args).encode()).buffer;
  return { bytes: await run(), run };
}

function decoding(response: Response, bytes: Buffer): Work {
  return { bytes, run: () => response.decode(bytes) };
}
