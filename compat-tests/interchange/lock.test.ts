import { expect } from 'vitest';
import { newHome, removeHome, startBroker } from '../brokers.ts';
import { freePortPair } from '../ports.ts';
import { describeTurns } from './turns.ts';

describeTurns(
  'the lock of a data directory',
  'odradek keeps out of a directory that Apache Kafka uses',
  async ({ end }) => {
    const home = await newHome('lock');
    const mine = await startBroker('odradek', home);
    await mine[end]();
    const kafka = await startBroker('kafka', home);
    try {
      const elsewhere = { directory: home.directory, port: await freePortPair(), properties: {} };
      await expect(startBroker('odradek', elsewhere)).rejects.toThrow(/Another broker holds the data directory/);
    } finally {
      await kafka.stop();
      removeHome(home);
    }
  },
);
