/** Levels of the broker's loggers: configuration of the node itself, never in the metadata (KIP-412). */
import { ErrorCode } from '../../protocol/errors.ts';
import type {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../protocol/messages/44-incremental-alter-configs.ts';
import type { InputOf, MessageOf } from '../../protocol/schema.ts';
import { type ConfigEntry, ConfigSource } from '../config/describe.ts';
import { KAFKA_LOG_LEVELS, ROOT_LOGGER } from '../loggers.ts';
import type { Broker } from './broker.ts';

type Resource = MessageOf<typeof IncrementalAlterConfigsRequest>['resources'][number];
type Alteration = Resource['configs'][number];
type Result = NonNullable<InputOf<typeof IncrementalAlterConfigsResponse>['responses']>[number];

const SET = 0;
const DELETE = 1;
const NOT_FOR_LOGGERS: ReadonlyMap<number, string> = new Map([
  [2, 'APPEND'],
  [3, 'SUBTRACT'],
]);
const STRING_TYPE = 2;

export function describeLoggers(broker: Broker): ConfigEntry[] {
  return broker.loggers.levels().map(({ name, level }) => ({
    name,
    value: level,
    source: ConfigSource.DYNAMIC_BROKER_LOGGER_CONFIG,
    readOnly: false,
    sensitive: false,
    type: STRING_TYPE,
    documentation: null,
    synonyms: [],
  }));
}

/** All changes of the resource, or none where one of them cannot be. */
export function alterLoggers(broker: Broker, resource: Resource, validateOnly: boolean): Result {
  const { resourceType, resourceName } = resource;
  const problem = idProblem(broker, resourceName) ?? firstProblem(broker, resource.configs);
  if (problem !== null) return { resourceType, resourceName, ...problem };
  if (!validateOnly) for (const alteration of resource.configs) apply(broker, alteration);
  return { resourceType, resourceName, errorCode: 0, errorMessage: null };
}

interface Problem {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

const invalidRequest = (errorMessage: string): Problem => ({ errorCode: ErrorCode.INVALID_REQUEST, errorMessage });
const invalidConfig = (errorMessage: string): Problem => ({ errorCode: ErrorCode.INVALID_CONFIG, errorMessage });

function idProblem(broker: Broker, name: string): Problem | null {
  if (!/^[+-]?\d+$/.test(name)) return invalidRequest(`Node id must be an integer, but it is: ${name}`);
  if (Number(name) === broker.nodeId) return null;
  return invalidRequest(`Unexpected node id. Expected ${broker.nodeId}, but received ${name}`);
}

function firstProblem(broker: Broker, alterations: readonly Alteration[]): Problem | null {
  if (new Set(alterations.map(({ name }) => name)).size < alterations.length) {
    return invalidRequest('Error due to duplicate config keys');
  }
  for (const alteration of alterations) {
    const problem = problemOf(broker, alteration);
    if (problem !== null) return problem;
  }
  return null;
}

function problemOf(broker: Broker, { name, configOperation, value }: Alteration): Problem | null {
  if (configOperation === SET && value === null) return invalidRequest(`Null value not supported for : ${name}`);
  if (configOperation !== SET && configOperation !== DELETE) {
    const word = NOT_FOR_LOGGERS.get(configOperation);
    if (word === undefined) return { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, errorMessage: null };
    return invalidRequest(`${word} operation is not allowed for the BROKER_LOGGER resource`);
  }
  if (!broker.loggers.has(name)) return invalidConfig(`Logger ${name} does not exist!`);
  if (configOperation === DELETE) {
    return name === ROOT_LOGGER ? invalidRequest(`Removing the log level of the ${name} logger is not allowed`) : null;
  }
  if ((KAFKA_LOG_LEVELS as readonly string[]).includes((value ?? '').toUpperCase())) return null;
  const valid = KAFKA_LOG_LEVELS.join(', ');
  return invalidConfig(
    `Cannot set the log level of ${name} to ${value} as it is not a supported log level. Valid log levels are ${valid}`,
  );
}

function apply(broker: Broker, { name, configOperation, value }: Alteration): void {
  if (configOperation === DELETE) broker.loggers.clearLevel(name);
  else broker.loggers.setLevel(name, value as string);
}
