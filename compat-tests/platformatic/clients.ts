import {
  Admin,
  type BaseOptions,
  Consumer,
  type ConsumerOptions,
  type Message,
  type MessagesStream,
  Producer,
  type ProducerOptions,
  stringDeserializers,
  stringSerializers,
} from '@platformatic/kafka';
import { afterEach } from 'vitest';
import { eventually, uniqueName } from '../helpers.ts';

export type TextConsumer = Consumer<string, string, string, string>;
export type TextProducer = Producer<string, string, string, string>;
export type TextStream = MessagesStream<string, string, string, string>;
export type TextMessage = Message<string, string, string, string>;

/** Clients of @platformatic/kafka for one suite; all that a test opened are closed after it. */
export type Clients = {
  producer(options?: Partial<ProducerOptions<string, string, string, string>>): TextProducer;
  consumer(options?: Partial<ConsumerOptions<string, string, string, string>>): TextConsumer;
  admin(): Admin;
};

/** Call inside a describe: `const clients = usePlatformatic(() => broker.bootstrapServers)`. */
export function usePlatformatic(bootstrapServers: () => string): Clients {
  const open: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of open.splice(0).reverse()) await close();
  });
  const base = (): BaseOptions => ({
    clientId: 'compat-platformatic',
    bootstrapBrokers: [bootstrapServers()],
    retries: 20,
    retryDelay: 100,
  });
  const opened = <T extends { close(): Promise<void> }>(client: T, close = () => client.close()): T => {
    open.push(close);
    return client;
  };
  return {
    producer: (options) =>
      opened(new Producer({ ...base(), serializers: stringSerializers, autocreateTopics: true, ...options })),
    consumer: (options) => {
      const reading = { maxWaitTime: 200, minBytes: 1 };
      const identity = { groupId: uniqueName('g'), deserializers: stringDeserializers };
      const consumer: TextConsumer = new Consumer({ ...base(), ...identity, ...reading, ...options });
      // Streams of a test may still be open.
      return opened(consumer, async () => {
        await consumer.close(true);
      });
    },
    admin: () => opened(new Admin(base())),
  };
}

/** Gathers the messages of a stream in one growing array. */
export function gather(stream: TextStream): TextMessage[] {
  const received: TextMessage[] = [];
  stream.on('data', (message: TextMessage) => received.push(message));
  return received;
}

/** Consumes topics from the beginning until count messages have come. */
export async function consumeAll(consumer: TextConsumer, topics: string[], count: number): Promise<TextMessage[]> {
  const received = gather(await consumer.consume({ topics, mode: 'earliest', autocommit: true }));
  await eventually(() => received.length >= count);
  return received;
}
