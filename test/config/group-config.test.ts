import { expect, test } from 'vitest';
import { groupConfig } from '../../src/config/group-config.ts';
import { brokerConfig, properties } from './samples.ts';

const GROUP = 32;

/** The metadata of one group, `g`. */
const withOverrides = (of: Record<string, string>) => ({
  configs: (type: number, name: string) => (type === GROUP && name === 'g' ? properties(of) : properties({})),
});

test('a group without overrides has the values of the broker', () => {
  const broker = brokerConfig({ 'group.share.delivery.count.limit': '7' });
  const config = groupConfig(withOverrides({ 'share.delivery.count.limit': '9' }), broker, 'other');
  expect(config.get('share.delivery.count.limit')).toBe(7);
  expect(config.get('consumer.session.timeout.ms')).toBe(45_000);
});

test('what only groups have comes from their own defaults', () => {
  const config = groupConfig(withOverrides({}), brokerConfig(), 'g');
  expect(config.get('share.auto.offset.reset')).toBe('latest');
  expect(config.get('share.isolation.level')).toBe('read_uncommitted');
  expect(config.get('share.renew.acknowledge.enable')).toBe(true);
});

test('overrides come first, and each group has its own', () => {
  const given = withOverrides({ 'share.record.lock.duration.ms': '20000', 'share.isolation.level': 'read_committed' });
  expect(groupConfig(given, brokerConfig(), 'g').get('share.record.lock.duration.ms')).toBe(20_000);
  expect(groupConfig(given, brokerConfig(), 'g').get('share.isolation.level')).toBe('read_committed');
  expect(groupConfig(given, brokerConfig(), 'h').get('share.record.lock.duration.ms')).toBe(30_000);
});

test('the bounds of the broker cap an override that was given under others', () => {
  const given = withOverrides({
    'share.record.lock.duration.ms': '1000',
    'share.delivery.count.limit': '11',
    'streams.num.standby.replicas': '3',
    'consumer.assignment.interval.ms': '16000',
  });
  const config = groupConfig(given, brokerConfig(), 'g');
  expect(config.get('share.record.lock.duration.ms')).toBe(15_000);
  expect(config.get('share.delivery.count.limit')).toBe(10);
  expect(config.get('streams.num.standby.replicas')).toBe(2);
  expect(config.get('consumer.assignment.interval.ms')).toBe(15_000);
});
