/** The batches that Apache Kafka wrote (records/kafka-batches.jsonl; how: records/KafkaBatches.java). */
import { readFileSync } from 'node:fs';

export interface KafkaBatch {
  readonly magic: number;
  readonly codec: string;
  readonly bytes: Buffer;
  /** Key, value and header values in hex. */
  readonly records: readonly {
    offset: number;
    timestamp: number;
    key: string | null;
    value: string | null;
    headers: [string, string | null][];
  }[];
}

export const kafkaBatches: readonly KafkaBatch[] = readFileSync(
  new URL('records/kafka-batches.jsonl', import.meta.url),
  'utf8',
)
  .trim()
  .split('\n')
  .map((line) => {
    const { magic, codec, hex, records } = JSON.parse(line);
    return { magic, codec, bytes: Buffer.from(hex, 'hex'), records };
  });
