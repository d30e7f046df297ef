import { setTimeout as sleep } from 'node:timers/promises';
import { Caller } from './connection.ts';
import {
  checkCreateTopics,
  createTopicsRequest,
  fetchRequest,
  metadataRequest,
  readFetchAnswers,
  readMetadata,
} from './wire.ts';

const READY_TIMEOUT_MS = 60_000;

/** Creates topics (those that exist are left as they are) on an open connection and waits until each partition has a leader. */
export async function createTopics(
  caller: Caller,
  names: readonly string[],
  partitions: number,
  perRequest: number,
): Promise<void> {
  for (let from = 0; from < names.length; from += perRequest) {
    const some = names.slice(from, from + perRequest);
    checkCreateTopics(await caller.call(createTopicsRequest(from, some, partitions)));
  }
  await until(`${names[0]} has leaders`, () => allLed(caller, names, partitions));
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + READY_TIMEOUT_MS;
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${READY_TIMEOUT_MS} ms: ${what}`);
    await sleep(5);
  }
}

async function allLed(caller: Caller, names: readonly string[], partitions: number): Promise<boolean> {
  const { topics } = readMetadata(await caller.call(metadataRequest(0, names)));
  const led = topics.filter(
    ({ errorCode, leaders }) =>
      errorCode === 0 && leaders.length === partitions && leaders.every((leader) => leader >= 0),
  );
  return led.length === names.length;
}

/** Whether every partition answers a fetch: Kafka names leaders in Metadata a moment before they serve. */
async function allServe(caller: Caller, name: string, partitions: number): Promise<boolean> {
  const positions = Array.from({ length: partitions }, (_, partition) => ({ partition, offset: 0 }));
  const shape = { maxWaitMs: 0, minBytes: 0, maxBytes: 1, partitionMaxBytes: 1 };
  let serving = 0;
  readFetchAnswers(await caller.call(fetchRequest(0, name, positions, shape)), (_partition, errorCode) => {
    if (errorCode === 0) serving++;
  });
  return serving === partitions;
}

/** Creates one topic over a connection of its own and waits until all of its partitions serve. */
export async function createTopic(port: number, name: string, partitions: number): Promise<void> {
  const caller = new Caller(port);
  try {
    await createTopics(caller, [name], partitions, 1);
    await until(`${name} serves`, () => allServe(caller, name, partitions));
  } finally {
    caller.close();
  }
}
