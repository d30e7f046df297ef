import { Kafka, logLevel, type RetryOptions } from 'kafkajs';

/** A kafkajs client that waits little between tries. */
export const kafkajs = (bootstrapServers: string, retry?: RetryOptions): Kafka =>
  new Kafka({
    clientId: 'compat-kafkajs',
    brokers: [bootstrapServers],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 50, maxRetryTime: 1000, retries: 30, ...retry },
  });
