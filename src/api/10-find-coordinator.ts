import { ErrorCode } from '../../protocol/errors.ts';
import { FindCoordinatorRequest, FindCoordinatorResponse } from '../../protocol/messages/10-find-coordinator.ts';
import type { InputOf } from '../../protocol/schema.ts';
import { all, andThen, type Eventually } from '../coordinator/eventually.ts';
import { parseCoordinatorKey } from '../share/share-partition-key.ts';
import { GENERIC_INVALID_REQUEST } from './generic-messages.ts';
import { handler, type RequestContext } from './handler.ts';

type Response = InputOf<typeof FindCoordinatorResponse>;
/** What is answered for one key. */
type Found = NonNullable<Response['coordinators']>[number];

/** FindCoordinatorRequest.CoordinatorType; 1 is for transactions. */
const GROUP_KEY = 0;
const SHARE_KEY = 2;
/** Share partitions have keys since then (KIP-932). */
const SHARE_VERSION = 6;
/** From then on a request asks for many keys (KIP-699). */
const BATCH_VERSION = 4;
/** How long a coordinator that is being loaded is waited for. */
const LOADING_TIMEOUT_MS = 5000;

/** Kinds of coordinators by the topic that each keeps its state in. */
interface Coordinators {
  readonly topic: string;
  /** The partition of the topic that keeps what the key names; null for what is no key. */
  partitionFor(key: string): number | null;
  whenServed(partition: number, timeoutMs: number): true | Promise<boolean>;
}

/**
 * FindCoordinator: which broker keeps a group or a share partition. The first request creates the topic that they are kept in, and
 * none is answered before the coordinator serves, so that a client does not have to ask twice. Transactions have no coordinator
 * here yet: UNSUPPORTED_VERSION, as Kafka answers for what is turned off; Java's and kafkajs' clients give up on it at once, and
 * Java's tells the reason.
 */
export const findCoordinator = handler({
  request: FindCoordinatorRequest,
  response: FindCoordinatorResponse,
  versions: [0, 6],

  handle(context, request) {
    const isBatch = context.apiVersion >= BATCH_VERSION;
    const keys = isBatch ? request.coordinatorKeys : [request.key];
    const coordinators = coordinatorsOf(context, request.keyType);
    if (coordinators === null) {
      const kind = KINDS[request.keyType];
      if (kind === undefined) return inForm(isBatch, refused(keys, ErrorCode.INVALID_REQUEST, GENERIC_INVALID_REQUEST));
      return inForm(isBatch, refused(keys, ErrorCode.UNSUPPORTED_VERSION, `This broker does not coordinate ${kind}.`));
    }
    if (keys.length === 0) return { coordinators: [] };
    if (request.keyType === SHARE_KEY && context.apiVersion < SHARE_VERSION) {
      return inForm(isBatch, refused(keys, ErrorCode.INVALID_REQUEST, GENERIC_INVALID_REQUEST));
    }
    const isAsked = keys.some((key) => coordinators.partitionFor(key) !== null);
    return andThen(isAsked ? existing(context, coordinators.topic) : undefined, () =>
      andThen(all(keys.map((key) => coordinatorOf(context, coordinators, key))), (found) => inForm(isBatch, found)),
    );
  },

  failed(request, errorCode, message) {
    const isBatch = request.coordinatorKeys.length > 0;
    return inForm(isBatch, refused(isBatch ? request.coordinatorKeys : [request.key], errorCode, message));
  },
});

const KINDS: Readonly<Record<number, string>> = { 1: 'transactions' };

function coordinatorsOf({ broker }: RequestContext, keyType: number): Coordinators | null {
  const { groups, shareCoordinator } = broker;
  if (keyType === GROUP_KEY) {
    return {
      topic: '__consumer_offsets',
      partitionFor: (key) => groups.partitionFor(key),
      whenServed: (partition, timeoutMs) => groups.whenServed(partition, timeoutMs),
    };
  }
  if (keyType !== SHARE_KEY) return null;
  return {
    topic: '__share_group_state',
    partitionFor(text) {
      const key = parseCoordinatorKey(text);
      return key === null ? null : shareCoordinator.partitionFor(key.groupId, key);
    },
    whenServed: (partition, timeoutMs) => shareCoordinator.whenServed(partition, timeoutMs),
  };
}

/** One key's answer stands for itself before version 4. */
function inForm(isBatch: boolean, found: readonly Found[]): Response {
  if (isBatch) return { coordinators: found };
  const [{ errorCode, errorMessage, nodeId, host, port }] = found;
  return { errorCode, errorMessage: errorMessage ?? 'NONE', nodeId, host, port };
}

function coordinatorOf(context: RequestContext, coordinators: Coordinators, key: string): Eventually<Found> {
  const { topic, whenServed } = coordinators;
  const { broker } = context;
  const partition = coordinators.partitionFor(key);
  if (partition === null) return refused([key], ErrorCode.INVALID_REQUEST, GENERIC_INVALID_REQUEST)[0];
  const leader = broker.image().topic(topic)?.partitions[partition]?.leader;
  const endpoint = broker.endpoints(context.connection.listenerName).find(({ nodeId }) => nodeId === leader);
  if (endpoint === undefined) return unavailable(key);
  const { nodeId, host, port } = endpoint;
  const found = { key, nodeId, host, port };
  if (nodeId !== broker.nodeId) return found;
  return andThen(whenServed(partition, LOADING_TIMEOUT_MS), (isServed) => (isServed ? found : unavailable(key)));
}

/** Creates the topic where it does not exist; whether that went well is seen in the image. */
function existing({ broker }: RequestContext, topic: string): Eventually<unknown> {
  return broker.image().topic(topic) ?? broker.controller.ensureTopics([topic]);
}

const unavailable = (key: string): Found =>
  refused([key], ErrorCode.COORDINATOR_NOT_AVAILABLE, 'The coordinator is not available.')[0];

function refused(keys: readonly string[], errorCode: number, errorMessage: string | null): Found[] {
  return keys.map((key) => ({ key, errorCode, errorMessage, nodeId: -1, host: '', port: -1 }));
}
