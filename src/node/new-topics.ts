import { ErrorCode, errorName } from '../../protocol/errors.ts';
import type { Controller } from '../controller/controller.ts';
import type { NewTopic } from './running.ts';

/** Creates topics that do not exist yet; one line for each that could not be created. */
export async function createTopics(controller: Controller, topics: readonly NewTopic[]): Promise<string[]> {
  const response = await controller.createTopics({
    topics: topics.map(({ name, partitions, configs }) => ({
      name,
      numPartitions: partitions ?? -1,
      replicationFactor: -1,
      assignments: [],
      configs: Object.entries(configs ?? {}).map(([configName, value]) => ({ name: configName, value })),
    })),
    timeoutMs: 0,
    validateOnly: false,
  });
  return (response.topics ?? [])
    .filter(({ errorCode }) => errorCode !== ErrorCode.NONE && errorCode !== ErrorCode.TOPIC_ALREADY_EXISTS)
    .map(({ name, errorCode, errorMessage }) => `${name}: ${errorMessage ?? errorName(errorCode ?? 0)}`);
}
