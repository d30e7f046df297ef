import { setTimeout as sleep } from 'node:timers/promises';
import { Caller } from './connection.ts';
import {
  checkCreateTopics,
  createTopicsRequest,
  endOffsetsRequest,
  metadataRequest,
  readEndOffsets,
  readMetadata,
  type TopicShape,
} from './wire.ts';

const READY_TIMEOUT_MS = 300_000;
const POLL_MS = 5;

/** Creates topics (those that exist are left as they are) on an open connection and waits until each partition has a leader. */
export async function createTopics(
  caller: Caller,
  names: readonly string[],
  shape: TopicShape,
  perRequest: number,
): Promise<void> {
  for (let from = 0; from < names.length; from += perRequest) {
    const some = names.slice(from, from + perRequest);
    checkCreateTopics(await caller.call(createTopicsRequest(from, some, shape)));
  }
  await until(`${names[0]} has leaders`, () => allLed(caller, names, shape.partitions));
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + READY_TIMEOUT_MS;
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${READY_TIMEOUT_MS} ms: ${what}`);
    await sleep(POLL_MS);
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

/**
 * The sum of the end offsets of a topic; undefined unless the leader of every partition answers. Kafka names leaders in Metadata a
 * moment before they serve, and it is not enough to fetch: a replica that does not lead answers that too (KIP-392).
 */
async function servedRecords(caller: Caller, name: string, partitions: number): Promise<number | undefined> {
  let serving = 0;
  let records = 0;
  readEndOffsets(await caller.call(endOffsetsRequest(0, name, partitions)), (_partition, errorCode, endOffset) => {
    if (errorCode !== 0) return;
    serving++;
    records += endOffset;
  });
  return serving === partitions ? records : undefined;
}

/**
 * Waits until Metadata names a leader for every partition of `names` and each leader answers ListOffsets; topic by topic, so that a
 * broker that is busy starting is not asked for all of its metadata again and again. Gives the records in these topics,
 * which are all there when they begin at offset 0.
 */
export async function untilServing(port: number, names: readonly string[], partitions: number): Promise<number> {
  const caller = new Caller(port);
  let records = 0;
  try {
    for (const name of names) {
      await until(`${name} has leaders`, () => allLed(caller, [name], partitions));
      await until(`${name} serves`, async () => {
        const served = await servedRecords(caller, name, partitions);
        records += served ?? 0;
        return served !== undefined;
      });
    }
    return records;
  } finally {
    caller.close();
  }
}

/** Creates one topic over a connection of its own and waits until all of its partitions serve. */
export async function createTopic(
  port: number,
  name: string,
  partitions: number,
  configs: TopicShape['configs'] = {},
): Promise<void> {
  const caller = new Caller(port);
  try {
    await createTopics(caller, [name], { partitions, configs }, 1);
  } finally {
    caller.close();
  }
  await untilServing(port, [name], partitions);
}
