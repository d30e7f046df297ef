import { describe, inject, it } from 'vitest';
import { type Broker, type BrokerName, brokerNames } from './brokers.ts';

/** What global-setup.ts hands to the test files: the shared brokers, or why there is none. */
export type SharedBroker = { bootstrapServers: string } | { unavailable: string };

declare module 'vitest' {
  interface ProvidedContext {
    brokers: Record<BrokerName, SharedBroker>;
  }
}

/** Runs the same suite against each shared broker of this run. */
export function describeBrokers(title: string, suite: (broker: Broker) => void): void {
  eachBroker(title, (name, bootstrapServers) => suite({ name, bootstrapServers }));
}

/** Runs the same suite once for each kind of broker; the suite starts its own with startBroker(name). */
export function describeBrokerKinds(title: string, suite: (name: BrokerName) => void): void {
  eachBroker(title, suite);
}

/** Runs the suite once, where both kinds of broker can be run; it starts its own. */
export function describeBoth(title: string, suite: () => void): void {
  const shared = inject('brokers');
  describe(title, () => {
    for (const name of brokerNames) {
      const broker = shared[name];
      if ('unavailable' in broker) return it.skip(`SKIPPED, ${broker.unavailable}`, () => {});
    }
    return suite();
  });
}

function eachBroker(title: string, suite: (name: BrokerName, bootstrapServers: string) => void): void {
  const shared = inject('brokers');
  for (const name of brokerNames) {
    const broker = shared[name];
    describe(`${name}: ${title}`, () => {
      if ('unavailable' in broker) it.skip(`SKIPPED, ${broker.unavailable}`, () => {});
      else suite(name, broker.bootstrapServers);
    });
  }
}
