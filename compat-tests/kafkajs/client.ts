import { type Admin, Kafka, logLevel, type RetryOptions } from 'kafkajs';
import { eventually } from '../helpers.ts';

/** A kafkajs client that waits little between tries. The topics that its admin creates serve when createTopics comes back. */
export function kafkajs(bootstrapServers: string, retry?: RetryOptions): Kafka {
  const kafka = new Kafka({
    clientId: 'compat-kafkajs',
    brokers: [bootstrapServers],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 50, maxRetryTime: 1000, retries: 30, ...retry },
  });
  const admin = kafka.admin.bind(kafka);
  kafka.admin = (config) => waitingAdmin(admin(config), bootstrapServers);
  return kafka;
}

/**
 * Apache Kafka names leaders in its metadata before they lead. A producer that comes in between has some of its batches
 * refused, and kafkajs sends all of a request again then, what was taken, too: records come twice.
 */
function waitingAdmin(admin: Admin, bootstrapServers: string): Admin {
  const createTopics: Admin['createTopics'] = async (options) => {
    const created = await admin.createTopics(options);
    const { topics, validateOnly = false, waitForLeaders = true } = options;
    if (created && !validateOnly && waitForLeaders) {
      await topicsServe(
        bootstrapServers,
        topics.map(({ topic }) => topic),
      );
    }
    return created;
  };
  return { ...admin, createTopics };
}

/** Comes back when every partition has a leader that answers. With a client of its own: it remembers what it was asked for. */
export async function topicsServe(bootstrapServers: string, topics: string[]): Promise<void> {
  const kafka = new Kafka({ brokers: [bootstrapServers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  try {
    for (const topic of topics) await eventually(() => admin.fetchTopicOffsets(topic));
  } finally {
    await admin.disconnect();
  }
}
