import { BrokerConfig } from '../../src/config/broker-config.ts';

/** The least that a broker must be told, and whatever a test adds. */
export function brokerConfig(more: Record<string, string> = {}): BrokerConfig {
  return new BrokerConfig(
    new Map(
      Object.entries({
        'node.id': '1',
        'process.roles': 'broker,controller',
        'controller.listener.names': 'CONTROLLER',
        ...more,
      }),
    ),
  );
}

export function properties(of: Record<string, string>): ReadonlyMap<string, string> {
  return new Map(Object.entries(of));
}
