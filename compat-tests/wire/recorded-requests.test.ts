import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeBrokers } from '../describe-brokers.ts';
import { fetches } from './fetch-scenarios.ts';
import { groups } from './group-scenarios.ts';
import { produces } from './produce-scenarios.ts';
import { Recording } from './recording.ts';

/** What Kafka answers to right and wrong requests, recorded: `COMPAT_BROKERS=kafka vitest run --project compat -u`. */
const scenarios = { fetch: fetches, produce: produces, group: groups };

const all = Object.entries(scenarios).flatMap(([kind, of]) =>
  Object.entries(of).map(([name, scenario]) => [`${kind}-${name}`, scenario] as const),
);

describeBrokers('recorded requests', (broker) => {
  it.each(all)('%s', async (name, scenario) => {
    const recording = await Recording.open(broker.bootstrapServers);
    try {
      await scenario(recording);
    } finally {
      await recording.close();
    }
    const recorded = join(import.meta.dirname, 'expected', `${name}.txt`);
    await expect(`${recording.lines.join('\n')}\n`).toMatchFileSnapshot(recorded);
  });
});
