import { createHash } from 'node:crypto';
import type { IHeaders, KafkaMessage } from 'kafkajs';
import { eventually, uniqueName } from '../helpers.ts';
import { kafkajs } from '../kafkajs/client.ts';

/** A partition by name, `TOPIC-N`. */
export const partitionName = (topic: string, partition: number): string => `${topic}-${partition}`;

export type Range = { start: bigint; end: bigint };

/** Reads partitions from start to end, by a consumer of kafkajs in a group of its own that leaves no trace. */
export async function readAll(
  bootstrapServers: string,
  topics: string[],
  ranges: ReadonlyMap<string, Range>,
): Promise<Map<string, KafkaMessage[]>> {
  const kafka = kafkajs(bootstrapServers);
  const groupId = uniqueName('reader');
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
  const messages = new Map([...ranges.keys()].map((name) => [name, [] as KafkaMessage[]]));
  await consumer.connect();
  await consumer.subscribe({ topics, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: true,
    eachBatch: async ({ batch }) => {
      messages.get(partitionName(batch.topic, batch.partition))?.push(...batch.messages);
    },
  });
  // The last record of a log stays, whatever compaction takes away.
  const whole = (name: string, { start, end }: Range): boolean =>
    start === end || messages.get(name)?.at(-1)?.offset === String(end - 1n);
  await eventually(() => {
    const missing = [...ranges].filter(([name, range]) => !whole(name, range)).map(([name]) => name);
    if (missing.length > 0) throw new Error(`not read to the end: ${missing.join(', ')}`);
    return true;
  });
  await consumer.disconnect();
  const admin = kafka.admin();
  await admin.connect();
  await admin.deleteGroups([groupId]);
  await admin.disconnect();
  return messages;
}

const headerFields = (headers: IHeaders = {}): (string | Buffer | undefined)[] =>
  Object.entries(headers).flatMap(([name, values]) => [values].flat().flatMap((value) => [name, value]));

/** One sum over offset, timestamp, key, value and headers of all messages. */
export function checksum(messages: readonly KafkaMessage[]): string {
  const hash = createHash('sha256');
  for (const { offset, timestamp, key, value, headers } of messages) {
    for (const field of [offset, timestamp, key, value, ...headerFields(headers)]) {
      // The length first, so that neighbours cannot trade bytes, and null differs from empty.
      hash.update(field == null ? '-;' : `${Buffer.byteLength(field)};`);
      if (field != null) hash.update(field);
    }
  }
  return hash.digest('hex');
}

/** The newest message of each key: what compaction must keep, when it has run and when it has not. */
export function newestByKey(messages: readonly KafkaMessage[]): KafkaMessage[] {
  const newest = new Map(messages.map((message) => [String(message.key), message]));
  return [...newest.values()].sort((a, b) => Number(a.offset) - Number(b.offset));
}
