/**
 * Kills a broker under a read-process-write pipeline and checks that its output equals its input, once each (compat-tests/exactly-once/fire.ts).
 * Needs Java.
 *
 *   node scripts/exactly-once.ts [--kills 50] [--seed 1] [--broker odradek|kafka]
 */
import { parseArgs } from 'node:util';
import { brokerNames, startBroker } from '../compat-tests/brokers.ts';
import { exactlyOnceUnderFire } from '../compat-tests/exactly-once/fire.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '50' },
    seed: { type: 'string', default: '1' },
    broker: { type: 'string', default: 'odradek' },
  },
});
const name = brokerNames.find((known) => known === values.broker);
if (name === undefined) throw new Error(`--broker is one of ${brokerNames.join(', ')}`);
const kills = Number(values.kills);
const begunMs = performance.now();
const broker = await startBroker(name);
try {
  const result = await exactlyOnceUnderFire({ broker, kills, seed: Number(values.seed), report: console.log });
  const seconds = ((performance.now() - begunMs) / 1000).toFixed(0);
  console.log(
    `${kills} kills in ${seconds} s: ${result.records} records copied, each once, in ${result.transactions} transactions; ` +
      `the pipeline began anew ${result.failures} times`,
  );
} finally {
  await broker.remove();
}
