import { describe, expect, test } from 'vitest';
import { type Environment, environmentProperties } from '../../src/config/environment.ts';

function set(environment: Environment): Record<string, string> {
  return Object.fromEntries(environmentProperties(environment).map(({ name, value }) => [name, value]));
}

describe('KAFKA_* variables', () => {
  test.each([
    ['KAFKA_LOG_RETENTION_HOURS', 'log.retention.hours'],
    ['KAFKA_NODE_ID', 'node.id'],
    ['KAFKA_KAFKA_METRICS_REPORTERS', 'kafka.metrics.reporters'],
    ['KAFKA_LISTENER_NAME_MY__LISTENER_SSL___X', 'listener.name.my_listener.ssl-x'],
  ])('%s sets %s', (variable, name) => {
    expect(set({ [variable]: '1' })).toEqual({ [name]: '1' });
  });

  test('what is for scripts and the JVM is none', () => {
    expect(
      set({ KAFKA_HEAP_OPTS: '-Xmx1g', KAFKA_OPTS: 'x', KAFKA_LOG4J_ROOT_LOGLEVEL: 'INFO', PATH: '/bin' }),
    ).toEqual({});
  });

  test('advertised listeners imply listeners on every address', () => {
    const environment = { KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://kafka:9092,OUT://[::1]:9094' };
    expect(set(environment).listeners).toBe('PLAINTEXT://0.0.0.0:9092,OUT://0.0.0.0:9094');
    expect(set({ ...environment, KAFKA_LISTENERS: 'PLAINTEXT://:1' }).listeners).toBe('PLAINTEXT://:1');
    expect(set({ ...environment, KAFKA_PROCESS_ROLES: 'controller' }).listeners).toBeUndefined();
  });
});
