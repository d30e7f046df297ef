import { ErrorCode } from '../../protocol/errors.ts';
import { FindCoordinatorRequest, FindCoordinatorResponse } from '../../protocol/messages/10-find-coordinator.ts';
import type { InputOf } from '../../protocol/schema.ts';
import { all, andThen, type Eventually } from '../coordinator/eventually.ts';
import { OFFSETS_TOPIC, SHARE_STATE_TOPIC, TRANSACTION_STATE_TOPIC } from '../coordinator/topics.ts';
import { parseCoordinatorKey } from '../share/share-partition-key.ts';
import type { Broker } from './broker.ts';
import { GENERIC_INVALID_REQUEST } from './generic-messages.ts';
import { handler, type RequestContext } from './handler.ts';

type Response = InputOf<typeof FindCoordinatorResponse>;
/** What is answered for one key. */
type Found = NonNullable<Response['coordinators']>[number];

/** A kind of coordinator, over this node's part of the internal topic that it keeps its state in. */
interface Kind {
  readonly topic: string;
  /** Asked for since then. */
  readonly sinceVersion: number;
  /** The partition of the topic that keeps what the key names; null for what is no key. */
  partitionFor(broker: Broker, key: string): number | null;
  service(broker: Broker): { whenServed(partition: number, timeoutMs: number): true | Promise<boolean> };
}

/** By FindCoordinatorRequest.CoordinatorType. */
const KINDS: readonly (Kind | undefined)[] = [
  {
    topic: OFFSETS_TOPIC,
    sinceVersion: 0,
    partitionFor: ({ groups }, key) => groups.partitionFor(key),
    service: ({ groups }) => groups,
  },
  {
    topic: TRANSACTION_STATE_TOPIC,
    sinceVersion: 0,
    partitionFor: ({ transactions }, key) => transactions.partitionFor(key),
    service: ({ transactions }) => transactions,
  },
  {
    topic: SHARE_STATE_TOPIC,
    // share partitions have keys since then (KIP-932)
    sinceVersion: 6,
    partitionFor({ shareCoordinator }, text) {
      const key = parseCoordinatorKey(text);
      return key === null ? null : shareCoordinator.partitionFor(key.groupId, key);
    },
    service: ({ shareCoordinator }) => shareCoordinator,
  },
];

/** From then on a request asks for many keys (KIP-699). */
const BATCH_VERSION = 4;
/** What Kafka says of the key of a share partition that is none. */
const NO_WORDS = '';
/** How long a coordinator that is being loaded is waited for. */
const LOADING_TIMEOUT_MS = 5000;

/**
 * FindCoordinator: which broker keeps a group, a transactional id or a share partition. The first request creates the topic
 * that they are kept in, and none is answered before the coordinator serves, so that a client does not have to ask twice.
 */
export const findCoordinator = handler({
  request: FindCoordinatorRequest,
  response: FindCoordinatorResponse,
  versions: [0, 6],

  handle(context, request) {
    const { apiVersion, broker } = context;
    const isBatch = apiVersion >= BATCH_VERSION;
    const keys = isBatch ? request.coordinatorKeys : [request.key];
    const kind = KINDS[request.keyType];
    const isKnown = kind !== undefined && (keys.length === 0 || apiVersion >= kind.sinceVersion);
    if (!isKnown) {
      const message = isBatch && kind !== undefined ? NO_WORDS : GENERIC_INVALID_REQUEST;
      return inForm(isBatch, refused(keys, ErrorCode.INVALID_REQUEST, message));
    }
    if (keys.length === 0) return { coordinators: [] };
    const isAsked = keys.some((key) => kind.partitionFor(broker, key) !== null);
    return andThen(isAsked ? ensureTopic(context, kind) : undefined, () =>
      andThen(all(keys.map((key) => coordinatorOf(context, kind, key))), (found) => inForm(isBatch, found)),
    );
  },

  failed(request, errorCode, message) {
    const isBatch = request.coordinatorKeys.length > 0;
    return inForm(isBatch, refused(isBatch ? request.coordinatorKeys : [request.key], errorCode, message));
  },
});

/** One key's answer stands for itself before version 4. */
function inForm(isBatch: boolean, found: readonly Found[]): Response {
  if (isBatch) return { coordinators: found };
  const [{ errorCode, errorMessage, nodeId, host, port }] = found;
  return { errorCode, errorMessage: errorMessage ?? 'NONE', nodeId, host, port };
}

/** Creates the topic where it does not exist; whether that went well is seen in the image. */
function ensureTopic({ broker }: RequestContext, { topic }: Kind): Eventually<unknown> {
  return broker.image().topic(topic) ?? broker.controller.ensureTopics([topic]);
}

function coordinatorOf({ broker, connection }: RequestContext, kind: Kind, key: string): Eventually<Found> {
  const partition = kind.partitionFor(broker, key);
  if (partition === null) return refused([key], ErrorCode.INVALID_REQUEST, NO_WORDS)[0];
  const leader = broker.image().topic(kind.topic)?.partitions[partition]?.leader;
  const endpoint = broker.endpoints(connection.listenerName).find(({ nodeId }) => nodeId === leader);
  if (endpoint === undefined) return unavailable(key);
  const { nodeId, host, port } = endpoint;
  const found = { key, nodeId, host, port };
  if (nodeId !== broker.nodeId) return found;
  const served = kind.service(broker).whenServed(partition, LOADING_TIMEOUT_MS);
  return andThen(served, (isServed) => (isServed ? found : unavailable(key)));
}

const unavailable = (key: string): Found =>
  refused([key], ErrorCode.COORDINATOR_NOT_AVAILABLE, 'The coordinator is not available.')[0];

function refused(keys: readonly string[], errorCode: number, errorMessage: string | null): Found[] {
  return keys.map((key) => ({ key, errorCode, errorMessage, nodeId: -1, host: '', port: -1 }));
}
