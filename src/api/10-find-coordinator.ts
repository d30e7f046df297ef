import { ErrorCode } from '../../protocol/errors.ts';
import { FindCoordinatorRequest, FindCoordinatorResponse } from '../../protocol/messages/10-find-coordinator.ts';
import type { InputOf } from '../../protocol/schema.ts';
import { all, andThen, type Eventually } from '../coordinator/eventually.ts';
import { GENERIC_INVALID_REQUEST } from './generic-messages.ts';
import { handler, type RequestContext } from './handler.ts';

type Response = InputOf<typeof FindCoordinatorResponse>;
/** What is answered for one key. */
type Found = NonNullable<Response['coordinators']>[number];

const OFFSETS_TOPIC = '__consumer_offsets';
/** FindCoordinatorRequest.CoordinatorType; 1 is for transactions, 2 for share partitions. */
const GROUP_KEY = 0;
/** From then on a request asks for many keys (KIP-699). */
const BATCH_VERSION = 4;
/** How long a coordinator that is being loaded is waited for. */
const LOADING_TIMEOUT_MS = 5000;

/**
 * FindCoordinator: which broker keeps a group. The first request creates the topic that groups are kept in, and none is
 * answered before the coordinator serves, so that a client does not have to ask twice. Transactions and share groups have
 * no coordinator here yet: UNSUPPORTED_VERSION, as Kafka answers for what is turned off; Java's and kafkajs' clients give up
 * on it at once, and Java's tells the reason.
 */
export const findCoordinator = handler({
  request: FindCoordinatorRequest,
  response: FindCoordinatorResponse,
  versions: [0, 6],

  handle(context, request) {
    const isBatch = context.apiVersion >= BATCH_VERSION;
    const keys = isBatch ? request.coordinatorKeys : [request.key];
    if (request.keyType !== GROUP_KEY) {
      const kind = KINDS[request.keyType];
      if (kind === undefined) return inForm(isBatch, refused(keys, ErrorCode.INVALID_REQUEST, GENERIC_INVALID_REQUEST));
      return inForm(isBatch, refused(keys, ErrorCode.UNSUPPORTED_VERSION, `This broker does not coordinate ${kind}.`));
    }
    if (keys.length === 0) return { coordinators: [] };
    return andThen(offsetsTopic(context), () =>
      andThen(all(keys.map((key) => groupCoordinator(context, key))), (found) => inForm(isBatch, found)),
    );
  },

  failed(request, errorCode, message) {
    const isBatch = request.coordinatorKeys.length > 0;
    return inForm(isBatch, refused(isBatch ? request.coordinatorKeys : [request.key], errorCode, message));
  },
});

const KINDS: Readonly<Record<number, string>> = { 1: 'transactions', 2: 'share groups' };

/** One key's answer stands for itself before version 4. */
function inForm(isBatch: boolean, found: readonly Found[]): Response {
  if (isBatch) return { coordinators: found };
  const [{ errorCode, errorMessage, nodeId, host, port }] = found;
  return { errorCode, errorMessage: errorMessage ?? 'NONE', nodeId, host, port };
}

/** Creates the topic where it does not exist; whether that went well is seen in the image. */
function offsetsTopic(context: RequestContext): Eventually<unknown> {
  const { broker } = context;
  return broker.image().topic(OFFSETS_TOPIC) ?? broker.controller.ensureTopics([OFFSETS_TOPIC]);
}

function groupCoordinator(context: RequestContext, key: string): Eventually<Found> {
  const { broker } = context;
  const partition = broker.groups.partitionFor(key);
  const leader = broker.image().topic(OFFSETS_TOPIC)?.partitions[partition]?.leader;
  const endpoint = broker.endpoints(context.connection.listenerName).find(({ nodeId }) => nodeId === leader);
  if (endpoint === undefined) return unavailable(key);
  const { nodeId, host, port } = endpoint;
  const found = { key, nodeId, host, port };
  if (nodeId !== broker.nodeId) return found;
  const served = broker.groups.whenServed(partition, LOADING_TIMEOUT_MS);
  return andThen(served, (isServed) => (isServed ? found : unavailable(key)));
}

const unavailable = (key: string): Found =>
  refused([key], ErrorCode.COORDINATOR_NOT_AVAILABLE, 'The coordinator is not available.')[0];

function refused(keys: readonly string[], errorCode: number, errorMessage: string | null): Found[] {
  return keys.map((key) => ({ key, errorCode, errorMessage, nodeId: -1, host: '', port: -1 }));
}
