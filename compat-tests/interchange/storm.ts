import { setTimeout as sleep } from 'node:timers/promises';
import { Partitioners } from 'kafkajs';
import { kafkajs } from '../kafkajs/client.ts';

/** An idempotent producer that goes on whatever happens to the broker: `stop` gives the number of acknowledged messages. */
export type Storm = { stop(): Promise<number> };

const PAUSE_MS = 10;

/** Sends '0', '1', '2', ... to a topic, each when the one before it has been acknowledged. */
export async function startStorm(bootstrapServers: string, topic: string): Promise<Storm> {
  const producer = kafkajs(bootstrapServers, { retries: 1000 }).producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    idempotent: true,
  });
  await producer.connect();
  let stopped = false;
  const sending = (async () => {
    let acknowledged = 0;
    for (; !stopped; acknowledged++) {
      await producer.send({ topic, messages: [{ value: String(acknowledged) }] });
      await sleep(PAUSE_MS);
    }
    return acknowledged;
  })();
  // Whoever starts a storm awaits it in the end; until then a failure has nobody to hear it.
  sending.catch(() => {});
  return {
    stop: async () => {
      stopped = true;
      const acknowledged = await sending;
      await producer.disconnect();
      return acknowledged;
    },
  };
}
