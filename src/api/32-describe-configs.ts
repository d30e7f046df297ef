import { KafkaError } from '../../protocol/errors.ts';
import { DescribeConfigsRequest, DescribeConfigsResponse } from '../../protocol/messages/32-describe-configs.ts';
import type { InputOf, MessageOf } from '../../protocol/schema.ts';
import {
  type ConfigEntry,
  describeBroker,
  describeClientMetrics,
  describeClusterWide,
  describeGroup,
  describeTopic,
} from '../config/describe.ts';
import { ResourceType } from '../controller/image.ts';
import { topicNameProblem } from '../controller/topic-names.ts';
import type { Broker } from './broker.ts';
import { describeLoggers } from './broker-loggers.ts';
import { GENERIC_INVALID_REQUEST } from './generic-messages.ts';
import { handler } from './handler.ts';

type Request = MessageOf<typeof DescribeConfigsRequest>;
type Resource = Request['resources'][number];
type Result = NonNullable<InputOf<typeof DescribeConfigsResponse>['results']>[number];

/**
 * DescribeConfigs (KIP-133, KIP-226, KIP-569): values, where they come from, and what they mean. One resource of an unknown
 * type is a malformed request, which is refused whole.
 */
export const describeConfigs = handler({
  request: DescribeConfigsRequest,
  response: DescribeConfigsResponse,
  versions: [1, 4],

  handle: (context, request) => ({
    results: request.resources.map((resource) => describe(context.broker, request, resource)),
  }),

  failed: (request, errorCode, errorMessage) => ({
    results: request.resources.map(({ resourceType, resourceName }) => ({
      errorCode,
      errorMessage,
      resourceType,
      resourceName,
    })),
  }),
});

function describe(broker: Broker, request: Request, resource: Resource): Result {
  const { resourceType, resourceName, configurationKeys: keys } = resource;
  if (!isDescribable(resourceType)) throw new KafkaError('INVALID_REQUEST', GENERIC_INVALID_REQUEST);
  try {
    const wanted = keys === null || keys.length === 0 ? null : new Set(keys);
    const entries = entriesOf(broker, resourceType, resourceName).filter(({ name }) => wanted?.has(name) ?? true);
    const configs = entries.map((entry) => toWire(entry, request));
    return { errorCode: 0, errorMessage: '', resourceType, resourceName, configs };
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error;
    const errorMessage = error.message === error.errorName ? '' : error.message;
    return { errorCode: error.code, errorMessage, resourceType, resourceName };
  }
}

type DescribableType = (typeof ResourceType)[keyof typeof ResourceType];

const isDescribable = (type: number): type is DescribableType =>
  (Object.values(ResourceType) as number[]).includes(type);

function entriesOf(broker: Broker, type: DescribableType, name: string): readonly ConfigEntry[] {
  const overrides = () => broker.image().configs(type, name);
  switch (type) {
    case ResourceType.TOPIC:
      checkTopic(broker, name);
      return describeTopic(broker.config(), overrides());
    case ResourceType.BROKER:
      if (name === '') return describeClusterWide(broker.config());
      checkBrokerId(broker, name, ' or empty string,');
      return describeBroker(broker.config());
    case ResourceType.BROKER_LOGGER:
      if (name === '') throw new KafkaError('INVALID_REQUEST', 'Broker id must not be empty');
      checkBrokerId(broker, name, '');
      return describeLoggers(broker);
    case ResourceType.CLIENT_METRICS:
      if (name === '') throw new KafkaError('INVALID_REQUEST', 'Client metrics subscription name must not be empty');
      return describeClientMetrics(overrides());
    case ResourceType.GROUP:
      if (name === '') throw new KafkaError('INVALID_REQUEST', 'Group name must not be empty');
      return describeGroup(broker.config(), overrides());
  }
}

function checkTopic(broker: Broker, name: string): void {
  const problem = topicNameProblem(name);
  if (problem !== null) throw new KafkaError('INVALID_TOPIC_EXCEPTION', problem);
  if (broker.image().topic(name) === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION');
}

function checkBrokerId(broker: Broker, name: string, orElse: string): void {
  if (!/^[+-]?\d+$/.test(name)) {
    throw new KafkaError('INVALID_REQUEST', `Broker id must be an integer, but it is: ${name}`);
  }
  if (Number(name) === broker.nodeId) return;
  const message = `Unexpected broker id, expected ${broker.nodeId}${orElse} but received ${name}`;
  throw new KafkaError('INVALID_REQUEST', message);
}

const toWire = (entry: ConfigEntry, { includeSynonyms, includeDocumentation }: Request) => ({
  name: entry.name,
  value: entry.value,
  readOnly: entry.readOnly,
  configSource: entry.source,
  isSensitive: entry.sensitive,
  synonyms: includeSynonyms ? entry.synonyms : [],
  configType: entry.type,
  documentation: includeDocumentation ? entry.documentation : null,
});
