/** Configurations of topics, brokers, groups and client-metrics subscriptions (KIP-133, KIP-226, KIP-339). */
import { ErrorCode } from '../../protocol/errors.ts';
import type { AlterConfigsRequest, AlterConfigsResponse } from '../../protocol/messages/33-alter-configs.ts';
import type {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../protocol/messages/44-incremental-alter-configs.ts';
import { ClearElrRecord, ConfigRecord } from '../../protocol/metadata/index.ts';
import type { InputOf, MessageOf } from '../../protocol/schema.ts';
import {
  checkBrokerChanges,
  checkClientMetricsChanges,
  checkGroupChanges,
  checkTopicChanges,
} from '../config/alter.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import { applyOperation, BROKER_LISTS, type ConfigChange, Operation, storedLists } from './config-operations.ts';
import { ELR_VERSION } from './features.ts';
import { type MetadataImage, ResourceType, resourceKey } from './image.ts';
import { type ApiError, errorOf, type Plan, type PlanContext, Refused } from './plan.ts';
import { type MetadataRecord, record } from './records.ts';
import { topicNameProblem } from './topic-names.ts';

const MIN_ISR = 'min.insync.replicas';

type Values = ReadonlyMap<string, string>;

/** One resource of a request, whichever API it came by. */
interface Target {
  readonly type: number;
  readonly name: string;
  readonly changes: readonly ConfigChange[];
  /** What is overridden now and not named by the request goes away (AlterConfigs). */
  readonly replacesAll: boolean;
}

interface Result {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly resourceType: number;
  readonly resourceName: string;
}

export function planIncrementalAlterConfigs(
  context: PlanContext,
  request: MessageOf<typeof IncrementalAlterConfigsRequest>,
): Plan<InputOf<typeof IncrementalAlterConfigsResponse>> {
  const targets = request.resources.map(({ resourceType, resourceName, configs }) => ({
    type: resourceType,
    name: resourceName,
    changes: configs.map(({ name, configOperation, value }) => ({ name, operation: configOperation, value })),
    replacesAll: false,
  }));
  return planTargets(context, targets, request.validateOnly);
}

export function planAlterConfigs(
  context: PlanContext,
  request: MessageOf<typeof AlterConfigsRequest>,
): Plan<InputOf<typeof AlterConfigsResponse>> {
  const targets = request.resources.map(({ resourceType, resourceName, configs }) => ({
    type: resourceType,
    name: resourceName,
    changes: configs.map(({ name, value }) => ({ name, operation: Operation.SET, value })),
    replacesAll: true,
  }));
  return planTargets(context, targets, request.validateOnly);
}

function planTargets(context: PlanContext, targets: readonly Target[], validateOnly: boolean) {
  const records: MetadataRecord[] = [];
  const clears: MetadataRecord[] = [];
  const times = new Map<string, number>();
  for (const { type, name } of targets) {
    const key = resourceKey(type, name);
    times.set(key, (times.get(key) ?? 0) + 1);
  }
  const refusals = targets.map((target) =>
    refusalOf(context, target, times.get(resourceKey(target.type, target.name))),
  );
  // what the broker lets pass goes to Kafka's controller, which fails as a whole on an operation that does not exist
  const fails = targets.some(({ changes }, i) => refusals[i] === null && changes.some(isUnknown));
  const responses = targets.map((target, i): Result => {
    const { type: resourceType, name: resourceName } = target;
    const refusal = refusals[i];
    if (refusal !== null) return { ...refusal, resourceType, resourceName };
    try {
      if (fails) throw new Refused('UNKNOWN_SERVER_ERROR', null);
      const { altered, planned } = planTarget(context, target);
      records.push(...planned);
      clears.push(...clearElr(context.image, target, altered));
      return { errorCode: ErrorCode.NONE, errorMessage: null, resourceType, resourceName };
    } catch (error) {
      return { ...errorOf(error), resourceType, resourceName };
    }
  });
  return { records: validateOnly ? [] : [...records, ...clears], response: { responses } };
}

/** Who may lead depends on how many have to be in sync: where that changes, the eligible leader replicas no longer hold (KIP-966). */
function clearElr(image: MetadataImage, { type, name }: Target, altered: Changed['altered']): MetadataRecord[] {
  if (!image.features.has(ELR_VERSION) || !altered.has(MIN_ISR)) return [];
  const everyTopic = '';
  return [record(ClearElrRecord, { topicName: type === ResourceType.TOPIC ? name : everyTopic })];
}

/** Why the broker itself refuses a resource that is named so many times, before any of them is looked at by the controller. */
function refusalOf(context: PlanContext, target: Target, times: number | undefined): ApiError | null {
  try {
    if (times !== 1) throw new Refused('INVALID_REQUEST', 'Each resource must appear at most once.');
    checkForm(target);
    if (target.type === ResourceType.BROKER) checkBroker(context, target);
    return null;
  } catch (error) {
    return errorOf(error);
  }
}

function planTarget(context: PlanContext, target: Target) {
  const { altered, after } = change(context, target);
  if (target.type === ResourceType.BROKER) checkMinIsr(context, target.name, altered);
  else checkStored(context, target, after);
  const planned = [...altered].map(([name, value]) =>
    record(ConfigRecord, { resourceType: target.type, resourceName: target.name, name, value }),
  );
  return { altered, planned };
}

/** What can be wrong before anybody looks at what is stored. */
function checkForm({ type, changes }: Target): void {
  const names = changes.map(({ name }) => name);
  if (new Set(names).size < names.length) throw new Refused('INVALID_REQUEST', 'Error due to duplicate config keys');
  const nulls = changes.filter(({ operation, value }) => operation !== Operation.DELETE && value === null);
  if (nulls.length > 0) {
    const list = nulls.map(({ name }) => name).join(', ');
    throw new Refused('INVALID_REQUEST', `Null value not supported for : ${list}`);
  }
  const isKnown = (Object.values(ResourceType) as number[]).includes(type);
  // loggers are the node's own and never come here, save by AlterConfigs, which does not know them
  if (!isKnown || type === ResourceType.BROKER_LOGGER) {
    throw new Refused('INVALID_REQUEST', `Unknown resource type ${type}`);
  }
}

const isUnknown = ({ operation }: ConfigChange): boolean => operation < Operation.SET || operation > Operation.SUBTRACT;

const NODE_ID = /^[+-]?\d+$/;

/** A broker takes changes for itself and, under the empty name, for all brokers of the cluster. */
function checkBroker(context: PlanContext, { name, changes, replacesAll }: Target): void {
  const unknown = changes.find(isUnknown);
  if (unknown !== undefined) throw new Refused('INVALID_REQUEST', `Unknown operations type ${unknown.operation}`);
  if (name !== '') {
    checkIsInteger(name);
    if (Number(name) !== context.nodeId) {
      throw new Refused('INVALID_REQUEST', `Unexpected broker id, expected ${context.nodeId}, but received ${name}`);
    }
  }
  const values = new Map(replacesAll ? [] : context.image.configs(ResourceType.BROKER, name));
  for (const one of changes) {
    const value = applyOperation(one, values.get(one.name), BROKER_LISTS);
    if (value === null) values.delete(one.name);
    else values.set(one.name, value);
  }
  checkBrokerChanges(context.config, name === '' ? 'clusterWide' : 'perBroker', values);
}

function checkIsInteger(name: string): void {
  if (!NODE_ID.test(name)) throw new Refused('INVALID_REQUEST', `Node id must be an integer, but it is: ${name}`);
}

interface Changed {
  /** New values by name, null for one that goes away. */
  readonly altered: ReadonlyMap<string, string | null>;
  readonly after: Values;
}

function change({ image }: PlanContext, { type, name: resource, changes, replacesAll }: Target): Changed {
  const before = image.configs(type, resource);
  const after = new Map(before);
  const altered = new Map<string, string | null>();
  const set = (name: string, value: string | null) => {
    altered.set(name, value);
    if (value === null) after.delete(name);
    else after.set(name, value);
  };
  for (const one of changes) {
    const value = applyOperation(one, before.get(one.name), storedLists(type));
    // for a broker an unchanged value is written too: it reads its files again (KAFKA-14136)
    if (value !== (before.get(one.name) ?? null) || type === ResourceType.BROKER) set(one.name, value);
  }
  if (replacesAll) {
    const named = new Set(changes.map(({ name }) => name));
    for (const name of before.keys()) if (!named.has(name)) set(name, null);
  }
  return { altered, after };
}

/** With eligible leader replicas the limit is the cluster's and always known (KIP-966). */
function checkMinIsr({ image }: PlanContext, broker: string, altered: Changed['altered']): void {
  if (!image.features.has(ELR_VERSION) || !altered.has(MIN_ISR)) return;
  if (broker !== '') {
    throw new Refused('INVALID_CONFIG', `Broker-level ${MIN_ISR} cannot be altered while ELR is enabled.`);
  }
  if (altered.get(MIN_ISR) !== null) return;
  throw new Refused('INVALID_CONFIG', `Cluster-level ${MIN_ISR} cannot be removed while ELR is enabled.`);
}

function checkStored({ config, image }: PlanContext, { type, name }: Target, after: Values): void {
  if (type === ResourceType.CLIENT_METRICS) checkClientMetricsChanges(name, after);
  else if (type === ResourceType.GROUP) checkGroupChanges(config, name, after);
  else checkTopic(config, image, name, after);
}

function checkTopic(config: BrokerConfig, image: MetadataImage, name: string, after: Values): void {
  if (name === '') throw new Refused('INVALID_REQUEST', 'Default topic resources are not allowed.');
  const problem = topicNameProblem(name);
  if (problem !== null) throw new Refused('INVALID_TOPIC_EXCEPTION', problem);
  checkTopicChanges(config, after);
  if (image.topic(name) === undefined) {
    throw new Refused('UNKNOWN_TOPIC_OR_PARTITION', `The topic '${name}' does not exist.`);
  }
}
