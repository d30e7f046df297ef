import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OwnBroker, startBroker } from '../brokers.ts';
import { describeBrokerKinds } from '../describe-brokers.ts';
import { oracleAvailable } from '../oracle/jars.ts';
import { exactlyOnceUnderFire } from './fire.ts';

/** More of them: npm run test:exactly-once -- --kills 50 */
const KILLS = 3;

describeBrokerKinds('exactly once under fire', (name) => {
  const oracle = oracleAvailable();
  if (!oracle.available) return it.skip(`SKIPPED, ${oracle.reason}`, () => {});
  let broker: OwnBroker;
  beforeAll(async () => {
    broker = await startBroker(name);
  });
  afterAll(() => broker?.remove());

  it(`Java's read-process-write pipeline copies each record once over ${KILLS} kills`, {
    timeout: 300_000,
  }, async () => {
    const result = await exactlyOnceUnderFire({ broker, kills: KILLS, seed: 1 });
    expect(result.records).toBeGreaterThan(100);
    expect(result.transactions).toBeGreaterThan(KILLS);
  });
});
