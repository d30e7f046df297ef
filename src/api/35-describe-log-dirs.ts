import { ErrorCode } from '../../protocol/errors.ts';
import { DescribeLogDirsRequest, DescribeLogDirsResponse } from '../../protocol/messages/35-describe-log-dirs.ts';
import type { MessageOf } from '../../protocol/schema.ts';
import type { Partition } from '../partition/partition.ts';
import type { LogDirectory } from '../partition/partitions.ts';
import { handler, type RequestContext } from './handler.ts';

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
  const byTopic = new Map<string, Partition[]>();
  for (const partition of context.broker.partitions.all()) {
    if (partition.log.dir.startsWith(`${logDir}/`) && wanted(partition)) {
      const list = byTopic.get(partition.topic);
      if (list === undefined) byTopic.set(partition.topic, [partition]);
      else list.push(partition);
    }
  }
  return {
    errorCode: 0,
    logDir,
    topics: [...byTopic].map(([name, partitions]) => ({ name, partitions: partitions.map(sizeOf) })),
    totalBytes,
    usableBytes,
    isCordoned: false,
  };
}

/** null means every partition; an empty list none. */
function selection(request: Request): (p: Partition) => boolean {
  if (request.topics === null) return () => true;
  const wanted = new Set(
    request.topics.flatMap(({ topic, partitions }) => partitions.map((index) => `${topic}/${index}`)),
  );
  return (p) => wanted.has(`${p.topic}/${p.index}`);
}

const sizeOf = (p: Partition) => ({
  partitionIndex: p.index,
  partitionSize: p.log.sizeBytes,
  offsetLag: Math.max(0, p.highWatermark - p.log.logEndOffset),
  isFutureKey: false,
});
