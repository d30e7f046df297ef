import type { ITopicConfig } from 'kafkajs';
import { afterEach, beforeEach } from 'vitest';
import { WireClient } from '../../test/support/wire-client.ts';
import type { Broker } from '../brokers.ts';
import { kafkajs } from '../kafkajs/client.ts';

/** For hand-made requests: every test of the suite that calls this has a connection of its own. */
export function clientOfEachTest({ bootstrapServers }: Broker): Pick<WireClient, 'request'> {
  let client: WireClient;
  beforeEach(async () => {
    client = await WireClient.connect(bootstrapServers);
  });
  afterEach(() => client.close());
  return { request: (api, version, body) => client.request(api, version, body) };
}

/** Topics that serve when this comes back. */
export async function newTopics({ bootstrapServers }: Broker, ...topics: ITopicConfig[]): Promise<void> {
  const admin = kafkajs(bootstrapServers).admin();
  await admin.connect();
  await admin.createTopics({ topics });
  await admin.disconnect();
}
