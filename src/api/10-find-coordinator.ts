import { ErrorCode } from '../../protocol/errors.ts';
import { FindCoordinatorRequest, FindCoordinatorResponse } from '../../protocol/messages/10-find-coordinator.ts';
import type { InputOf } from '../../protocol/schema.ts';
import { all, andThen, type Eventually } from '../coordinator/eventually.ts';
import type { Broker } from './broker.ts';
import { GENERIC_INVALID_REQUEST } from './generic-messages.ts';
import { handler, type RequestContext } from './handler.ts';
import { OFFSETS_TOPIC, TRANSACTION_STATE_TOPIC } from './internal-topics.ts';

type Response = InputOf<typeof FindCoordinatorResponse>;
/** What is answered for one key. */
type Found = NonNullable<Response['coordinators']>[number];

/** A kind of coordinator: the internal topic it keeps its state in, and the service over this node's part of it. */
interface Kind {
  readonly topic: string;
  service(broker: Broker): {
    partitionFor(key: string): number;
    whenServed(partition: number, timeoutMs: number): true | Promise<boolean>;
  };
}

/** By FindCoordinatorRequest.CoordinatorType. */
const KINDS: Readonly<Record<number, Kind>> = {
  0: { topic: OFFSETS_TOPIC, service: (broker) => broker.groups },
  1: { topic: TRANSACTION_STATE_TOPIC, service: (broker) => broker.transactions },
};
const SHARE_KEY = 2;
/** From then on a request asks for many keys (KIP-699). */
const BATCH_VERSION = 4;
/** How long a coordinator that is being loaded is waited for. */
const LOADING_TIMEOUT_MS = 5000;

/**
 * FindCoordinator: which broker keeps a group or a transactional id. The first request creates the topic that they are kept
 * in, and none is answered before the coordinator serves, so that a client does not have to ask twice. Share groups have no
 * coordinator here yet: UNSUPPORTED_VERSION, as Kafka answers for what is turned off.
 */
export const findCoordinator = handler({
  request: FindCoordinatorRequest,
  response: FindCoordinatorResponse,
  versions: [0, 6],

  handle(context, request) {
    const isBatch = context.apiVersion >= BATCH_VERSION;
    const keys = isBatch ? request.coordinatorKeys : [request.key];
    const kind = KINDS[request.keyType];
    if (kind === undefined) return inForm(isBatch, unknownKind(keys, request.keyType));
    if (keys.length === 0) return { coordinators: [] };
    return andThen(ensureTopic(context, kind), () =>
      andThen(all(keys.map((key) => coordinatorOf(context, kind, key))), (found) => inForm(isBatch, found)),
    );
  },

  failed(request, errorCode, message) {
    const isBatch = request.coordinatorKeys.length > 0;
    return inForm(isBatch, refused(isBatch ? request.coordinatorKeys : [request.key], errorCode, message));
  },
});

function unknownKind(keys: readonly string[], keyType: number): Found[] {
  if (keyType !== SHARE_KEY) return refused(keys, ErrorCode.INVALID_REQUEST, GENERIC_INVALID_REQUEST);
  return refused(keys, ErrorCode.UNSUPPORTED_VERSION, 'This broker does not coordinate share groups.');
}

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
  const service = kind.service(broker);
  const partition = service.partitionFor(key);
  const leader = broker.image().topic(kind.topic)?.partitions[partition]?.leader;
  const endpoint = broker.endpoints(connection.listenerName).find(({ nodeId }) => nodeId === leader);
  if (endpoint === undefined) return unavailable(key);
  const { nodeId, host, port } = endpoint;
  const found = { key, nodeId, host, port };
  if (nodeId !== broker.nodeId) return found;
  const served = service.whenServed(partition, LOADING_TIMEOUT_MS);
  return andThen(served, (isServed) => (isServed ? found : unavailable(key)));
}

const unavailable = (key: string): Found =>
  refused([key], ErrorCode.COORDINATOR_NOT_AVAILABLE, 'The coordinator is not available.')[0];

function refused(keys: readonly string[], errorCode: number, errorMessage: string | null): Found[] {
  return keys.map((key) => ({ key, errorCode, errorMessage, nodeId: -1, host: '', port: -1 }));
}
