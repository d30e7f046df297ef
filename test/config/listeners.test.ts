import { describe, expect, test } from 'vitest';
import { formatListener } from '../../src/config/listeners.ts';
import { brokerConfig } from './samples.ts';

const CONTROLLER = { listeners: 'PLAINTEXT://:9092,CONTROLLER://:9093' };

function listener(name: string, host: string, port: number, securityProtocol = 'PLAINTEXT') {
  return { name, host, port, securityProtocol };
}

describe('listeners', () => {
  test('those of clients and those of the quorum', () => {
    const { listeners } = brokerConfig(CONTROLLER);
    expect(listeners.broker).toEqual([listener('PLAINTEXT', '', 9092)]);
    expect(listeners.controller).toEqual([listener('CONTROLLER', '', 9093)]);
    expect(listeners.advertisedBroker).toEqual(listeners.broker);
    expect(listeners.advertisedController).toEqual(listeners.controller);
    expect(listeners.interBrokerListenerName).toBe('PLAINTEXT');
  });

  test('what is advertised may differ', () => {
    const { listeners } = brokerConfig({
      ...CONTROLLER,
      'advertised.listeners': 'PLAINTEXT://kafka.example:9092,CONTROLLER://c.example:1',
    });
    expect(listeners.advertisedBroker).toEqual([listener('PLAINTEXT', 'kafka.example', 9092)]);
    expect(listeners.advertisedController).toEqual([listener('CONTROLLER', 'c.example', 1)]);
  });

  test('names of their own with protocols', () => {
    const { listeners } = brokerConfig({
      listeners: 'in://[::1]:1,OUT://127.0.0.1:1',
      'listener.security.protocol.map': 'IN:PLAINTEXT, out:SASL_SSL',
      'inter.broker.listener.name': 'in',
    });
    expect(listeners.broker).toEqual([listener('IN', '::1', 1), listener('OUT', '127.0.0.1', 1, 'SASL_SSL')]);
    expect(listeners.interBrokerListenerName).toBe('IN');
  });

  test('a single node needs no controller listener', () => {
    expect(brokerConfig({ listeners: 'PLAINTEXT://:9092' }).listeners.controller).toEqual([]);
  });

  test('IPv6 hosts are printed in brackets', () => {
    expect(formatListener(listener('A', '::1', 9092))).toBe('A://[::1]:9092');
    expect(formatListener(listener('A', 'h', 0))).toBe('A://h:0');
  });
});

describe('listeners that cannot be', () => {
  test.each<[Record<string, string>, string]>([
    [
      { listeners: 'PLAINTEXT:9092' },
      "Error creating broker listeners from 'PLAINTEXT:9092': Unable to parse PLAINTEXT:9092 to a broker endpoint",
    ],
    [
      { listeners: 'FOO://:9092' },
      "Error creating broker listeners from 'FOO://:9092': No security protocol defined for listener FOO",
    ],
    [{ listeners: 'PLAINTEXT://:70000' }, 'has a port outside of 0 to 65535'],
    [
      { listeners: 'PLAINTEXT://:1,PLAINTEXT://:2' },
      'Each listener must have a different name, listeners: PLAINTEXT://:1,PLAINTEXT://:2',
    ],
    [{ listeners: 'PLAINTEXT://:1,SSL://:1' }, 'Each listener must have a different port'],
    [{ 'listener.security.protocol.map': 'PLAINTEXT:FOO' }, 'Invalid security protocol `FOO`'],
    [
      { 'inter.broker.listener.name': 'FOO' },
      'Listener with name FOO defined in inter.broker.listener.name not found in listener.security.protocol.map.',
    ],
    [
      { 'inter.broker.listener.name': 'PLAINTEXT', 'security.inter.broker.protocol': 'SSL' },
      'Only one of inter.broker.listener.name and security.inter.broker.protocol should be set.',
    ],
    [{ 'advertised.listeners': 'PLAINTEXT://0.0.0.0:9092' }, 'cannot use the nonroutable meta-address 0.0.0.0'],
    [{ 'advertised.listeners': 'SSL://h:9092' }, 'inter.broker.listener.name must be a listener name defined in'],
    [
      { 'advertised.listeners': 'PLAINTEXT://h:9092,SSL://h:1' },
      'advertised.listeners listener names must be equal to or a subset of the ones defined in listeners.',
    ],
    [{ 'controller.listener.names': 'PLAINTEXT' }, 'There must be at least one broker advertised listener.'],
    [
      { 'controller.quorum.voters': '1@h:1,2@h:2' },
      "controller.listener.names must only contain values appearing in the 'listeners' configuration",
    ],
  ])('%j', (more, message) => {
    expect(() => brokerConfig(more)).toThrow(message);
  });
});
