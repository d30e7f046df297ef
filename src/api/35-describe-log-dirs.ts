import { ErrorCode } from '../../protocol/errors.ts';
import { DescribeLogDirsRequest, DescribeLogDirsResponse } from '../../protocol/messages/35-describe-log-dirs.ts';
import type { MessageOf } from '../../protocol/schema.ts';
import type { Partition } from '../partition/partition.ts';
import type { LogDirectory } from '../partition/partitions.ts';
import type { Broker } from './broker.ts';
import { handler, type RequestContext } from './handler.ts';
import { answerFor } from './partition-failure.ts';

type Request = MessageOf<typeof DescribeLogDirsRequest>;

/** DescribeLogDirs (KIP-113, KIP-827): what lies in which directory, and the space there. */
export const describeLogDirs = handler({
  request: DescribeLogDirsRequest,
  response: DescribeLogDirsResponse,
  versions: [1, 5],

  handle(context, request) {
    return { results: context.broker.partitions.directories().map((dir) => describe(context, request, dir)) };
  },

  failed: (_request, errorCode) => ({ errorCode, results: [] }),
});

function describe(context: RequestContext, request: Request, dir: LogDirectory) {
  const { path: logDir, totalBytes, usableBytes, isOffline } = dir;
  if (isOffline) return { errorCode: ErrorCode.KAFKA_STORAGE_ERROR, logDir, topics: [], totalBytes, usableBytes };
  const wanted = selection(request);
  const byTopic = new Map<string, Described[]>();
  for (const replica of replicasIn(context.broker, logDir)) {
    if (!wanted(replica)) continue;
    const list = byTopic.get(replica.topic);
    if (list === undefined) byTopic.set(replica.topic, [replica]);
    else list.push(replica);
  }
  return {
    errorCode: 0,
    logDir,
    topics: [...byTopic].map(([name, replicas]) => ({ name, partitions: replicas.map(({ sizes }) => sizes) })),
    totalBytes,
    usableBytes,
    isCordoned: false,
  };
}

/** null means every partition; an empty list none. */
function selection(request: Request): (replica: Described) => boolean {
  if (request.topics === null) return () => true;
  const wanted = new Set(
    request.topics.flatMap(({ topic, partitions }) => partitions.map((index) => `${topic}/${index}`)),
  );
  return (p) => wanted.has(`${p.topic}/${p.index}`);
}

interface Described {
  readonly topic: string;
  readonly index: number;
  readonly sizes: {
    readonly partitionIndex: number;
    readonly partitionSize: number;
    readonly offsetLag: number;
    readonly isFutureKey: boolean;
  };
}

/** The replicas in the directory, and those on their way there. One whose files cannot be looked at is left out: there is no error for it. */
function* replicasIn(broker: Broker, path: string): Iterable<Described> {
  for (const partition of broker.partitions.all()) {
    if (!partition.log.dir.startsWith(`${path}/`)) continue;
    const described = answerFor<Described | null>(
      broker,
      partition,
      () => replicaOf(partition),
      () => null,
    );
    if (described !== null) yield described;
  }
  for (const { topic, index, sizeBytes, offsetLag, path: target } of broker.replicaMoves.underWay()) {
    if (target !== path) continue;
    yield { topic, index, sizes: { partitionIndex: index, partitionSize: sizeBytes, offsetLag, isFutureKey: true } };
  }
}

function replicaOf({ topic, index, log, highWatermark }: Partition): Described {
  const offsetLag = Math.max(0, highWatermark - log.logEndOffset);
  return {
    topic,
    index,
    sizes: { partitionIndex: index, partitionSize: log.sizeBytes, offsetLag, isFutureKey: false },
  };
}
