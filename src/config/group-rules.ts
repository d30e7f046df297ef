/** The ranges that the broker sets for groups: each value lies between its min and max, heartbeats within a session. */

import type { BrokerConfigName } from './tables/index.ts';

type NumberName = Extract<BrokerConfigName, `group.${'consumer' | 'share' | 'streams'}.${string}`>;

interface Rule<N extends NumberName> {
  readonly name: N;
  readonly is: 'at least' | 'at most' | 'below';
  readonly bound: N;
}

type Ranged = Extract<
  NumberName,
  | `group.${string}.session.timeout.ms`
  | `group.${string}.heartbeat.interval.ms`
  | `group.${string}.assignment.interval.ms`
  | `group.share.${string}record.lock.duration.ms`
  | `group.share.${string}delivery.count.limit`
  | `group.share.${string}partition.max.record.locks`
  | `group.streams.${string}standby.replicas`
>;

/** value, min, max */
const RANGES: readonly (readonly [Ranged, Ranged, Ranged])[] = [
  [
    'group.consumer.heartbeat.interval.ms',
    'group.consumer.min.heartbeat.interval.ms',
    'group.consumer.max.heartbeat.interval.ms',
  ],
  [
    'group.consumer.session.timeout.ms',
    'group.consumer.min.session.timeout.ms',
    'group.consumer.max.session.timeout.ms',
  ],
  [
    'group.consumer.assignment.interval.ms',
    'group.consumer.min.assignment.interval.ms',
    'group.consumer.max.assignment.interval.ms',
  ],
  [
    'group.share.heartbeat.interval.ms',
    'group.share.min.heartbeat.interval.ms',
    'group.share.max.heartbeat.interval.ms',
  ],
  ['group.share.session.timeout.ms', 'group.share.min.session.timeout.ms', 'group.share.max.session.timeout.ms'],
  [
    'group.share.record.lock.duration.ms',
    'group.share.min.record.lock.duration.ms',
    'group.share.max.record.lock.duration.ms',
  ],
  ['group.share.delivery.count.limit', 'group.share.min.delivery.count.limit', 'group.share.max.delivery.count.limit'],
  [
    'group.share.partition.max.record.locks',
    'group.share.min.partition.max.record.locks',
    'group.share.max.partition.max.record.locks',
  ],
  [
    'group.share.assignment.interval.ms',
    'group.share.min.assignment.interval.ms',
    'group.share.max.assignment.interval.ms',
  ],
  [
    'group.streams.heartbeat.interval.ms',
    'group.streams.min.heartbeat.interval.ms',
    'group.streams.max.heartbeat.interval.ms',
  ],
  ['group.streams.session.timeout.ms', 'group.streams.min.session.timeout.ms', 'group.streams.max.session.timeout.ms'],
  [
    'group.streams.assignment.interval.ms',
    'group.streams.min.assignment.interval.ms',
    'group.streams.max.assignment.interval.ms',
  ],
];

function ofRange([value, min, max]: readonly [Ranged, Ranged, Ranged]): Rule<Ranged>[] {
  return [
    { name: max, is: 'at least', bound: min },
    { name: value, is: 'at least', bound: min },
    { name: value, is: 'at most', bound: max },
  ];
}

function heartbeatWithinSession(type: 'consumer' | 'share' | 'streams'): Rule<Ranged> {
  return { name: `group.${type}.heartbeat.interval.ms`, is: 'below', bound: `group.${type}.session.timeout.ms` };
}

/** What must hold among the broker's own configurations. */
export const GROUP_RULES: readonly Rule<Ranged>[] = [
  ...RANGES.flatMap(ofRange),
  { name: 'group.streams.num.standby.replicas', is: 'at most', bound: 'group.streams.max.standby.replicas' },
  heartbeatWithinSession('consumer'),
  heartbeatWithinSession('share'),
  heartbeatWithinSession('streams'),
];
