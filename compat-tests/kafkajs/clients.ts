import {
  type Admin,
  type Consumer,
  type ConsumerConfig,
  type KafkaMessage,
  Partitioners,
  type Producer,
  type ProducerConfig,
  type RetryOptions,
} from 'kafkajs';
import { afterEach } from 'vitest';
import { eventually } from '../helpers.ts';
import { kafkajs } from './client.ts';

/** kafkajs clients of one suite; all that a test opened are disconnected after it. */
export type Clients = {
  producer(config?: ProducerConfig): Promise<Producer>;
  consumer(config: ConsumerConfig): Promise<Consumer>;
  admin(): Promise<Admin>;
};

/** Call inside a describe: `const clients = useKafkajs(() => broker.bootstrapServers)`. */
export function useKafkajs(bootstrapServers: () => string, retry?: RetryOptions): Clients {
  const open: { disconnect(): Promise<void> }[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((client) => client.disconnect()));
  });
  const opened = async <T extends { connect(): Promise<void>; disconnect(): Promise<void> }>(client: T): Promise<T> => {
    await client.connect();
    open.push(client);
    return client;
  };
  return {
    producer: (config) =>
      opened(
        kafkajs(bootstrapServers(), retry).producer({ createPartitioner: Partitioners.DefaultPartitioner, ...config }),
      ),
    consumer: (config) =>
      opened(kafkajs(bootstrapServers(), retry).consumer({ maxWaitTimeInMs: 200, heartbeatInterval: 500, ...config })),
    admin: () => opened(kafkajs(bootstrapServers(), retry).admin()),
  };
}

export type Received = { topic: string; partition: number; message: KafkaMessage };

/** Runs the consumer; gives the messages that arrive, in the order of arrival, in one growing array. */
export async function receive(consumer: Consumer): Promise<Received[]> {
  const received: Received[] = [];
  await consumer.run({
    eachMessage: async ({ topic, partition, message }) => {
      received.push({ topic, partition, message });
    },
  });
  return received;
}

/** Consumes topics from the beginning in a group until count messages have come. */
export async function consumeAll(consumer: Consumer, topics: string[], count: number): Promise<Received[]> {
  await consumer.subscribe({ topics, fromBeginning: true });
  const received = await receive(consumer);
  await eventually(() => received.length >= count);
  return received;
}

export const textOf = ({ message }: Received): string => String(message.value);
