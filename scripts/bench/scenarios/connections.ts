import { setTimeout as sleep } from 'node:timers/promises';
import { Caller } from '../connection.ts';
import { residentMib } from '../proc.ts';
import type { Scenario } from '../scenario.ts';
import { apiVersionsRequest, metadataRequest } from '../wire.ts';

/** Below the default backlog of Kafka's listener (socket.listen.backlog.size 50), so that no SYN is dropped and sent again. */
const AT_ONCE = 25;
const SETTLE_MS = 1000;

async function greet(port: number): Promise<Caller> {
  const caller = new Caller(port);
  await caller.call(apiVersionsRequest(0));
  await caller.call(metadataRequest(1, []));
  return caller;
}

/** 1,000 connections, an ApiVersions and a Metadata request on each, all kept open. */
export const connections: Scenario = {
  name: 'connections',
  title: '1,000 connections',
  broker: 'own',
  metrics: [
    { key: 'connections.ms', label: 'open 1,000 connections', unit: 'ms', better: 'lower' },
    { key: 'connections.memory', label: 'memory, 1,000 connections', unit: 'MiB', better: 'lower' },
  ],
  async run({ broker, sizes }) {
    const open: Caller[] = [];
    const startMs = performance.now();
    while (open.length < sizes.connections) {
      const some = Math.min(AT_ONCE, sizes.connections - open.length);
      open.push(...(await Promise.all(Array.from({ length: some }, () => greet(broker.port)))));
    }
    const tookMs = performance.now() - startMs;
    await sleep(SETTLE_MS);
    const memory = residentMib(broker.pid);
    for (const caller of open) caller.close();
    return { 'connections.ms': tookMs, 'connections.memory': memory };
  },
};
