/** The rules between configurations, checked whenever a snapshot is built. Messages say what Kafka's would. */

import type { BrokerConfig } from './broker-config.ts';
import { GROUP_RULES } from './group-rules.ts';
import type { Listener } from './listeners.ts';
import { ContradictionError, InvalidConfigError } from './value.ts';

function must(condition: boolean, message: string): void {
  if (!condition) throw new ContradictionError(message);
}

function names(listeners: readonly Listener[]): string {
  return listeners.map(({ name }) => name).join(',');
}

function voterIds(config: BrokerConfig): readonly number[] {
  return config.get('controller.quorum.voters').map((entry) => Number.parseInt(entry, 10));
}

function checkNodeId(config: BrokerConfig): void {
  must(config.get('node.id') === config.get('broker.id'), 'You must set `node.id` to the same value as `broker.id`.');
}

function checkVoters(config: BrokerConfig): void {
  const ids = voterIds(config);
  const nodeId = config.get('node.id');
  const among = `set of voters controller.quorum.voters=${ids.join(',')}`;
  if (config.isController()) {
    must(
      ids.length === 0 || ids.includes(nodeId),
      `If process.roles contains the 'controller' role, the node id ${nodeId} must be included in the ${among}`,
    );
    return;
  }
  must(
    ids.length > 0 || config.get('controller.quorum.bootstrap.servers').length > 0,
    'If using process.roles, either controller.quorum.bootstrap.servers must contain the set of bootstrap controllers or controller.quorum.voters must contain a parseable set of controllers.',
  );
  must(
    !ids.includes(nodeId),
    `If process.roles contains just the 'broker' role, the node id ${nodeId} must not be included in the ${among}`,
  );
}

function checkControllerListeners(config: BrokerConfig): void {
  const { broker, controller, controllerListenerNames } = config.listeners;
  if (!config.isController()) {
    must(
      controller.length === 0,
      "controller.listener.names must not contain a value appearing in the 'listeners' configuration when running KRaft with just the broker role",
    );
    return;
  }
  if (!config.isBroker()) {
    must(
      broker.length === 0,
      'The listeners config must only contain KRaft controller listeners from controller.listener.names when process.roles=controller',
    );
  }
  // A node that is the whole quorum has nobody to listen for; Kafka wants the listener even so.
  if (config.isSoleController() && config.isBroker() && controller.length === 0) return;
  must(
    controllerListenerNames.every((name) => controller.some((listener) => listener.name === name)),
    "controller.listener.names must only contain values appearing in the 'listeners' configuration when running the KRaft controller role",
  );
}

function checkBrokerListeners(config: BrokerConfig): void {
  if (!config.isBroker()) return;
  const { broker, controller, advertisedBroker, interBrokerListenerName } = config.listeners;
  must(
    advertisedBroker.length > 0,
    'There must be at least one broker advertised listener. Perhaps all listeners appear in controller.listener.names?',
  );
  must(
    advertisedBroker.some(({ name }) => name === interBrokerListenerName),
    `inter.broker.listener.name must be a listener name defined in advertised.listeners. The valid options based on currently configured listeners are ${names(advertisedBroker)}`,
  );
  must(
    advertisedBroker.every(({ name }) => broker.some((bound) => bound.name === name)),
    `advertised.listeners listener names must be equal to or a subset of the ones defined in listeners. Found ${names(advertisedBroker)}. The valid options based on the current configuration are ${names([...broker, ...controller])}`,
  );
}

function checkAdvertisedAddresses(config: BrokerConfig): void {
  const { advertisedBroker, advertisedController } = config.listeners;
  must(
    ![...advertisedBroker, ...advertisedController].some(({ host }) => host === '0.0.0.0'),
    'advertised.listeners cannot use the nonroutable meta-address 0.0.0.0. Use a routable IP address.',
  );
}

function checkLog(config: BrokerConfig): void {
  const topic = config.topic();
  must(topic.segmentMs >= 1, 'log.roll.ms must be greater than or equal to 1');
  must(topic.segmentJitterMs >= 0, 'log.roll.jitter.ms must be greater than or equal to 0');
  must(topic.retentionMs !== 0, 'log.retention.ms must be unlimited (-1) or, greater than or equal to 1');
  must(
    config.get('log.cleaner.dedupe.buffer.size') / config.get('log.cleaner.threads') > 1024 * 1024,
    'log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.',
  );
}

function checkReplication(config: BrokerConfig): void {
  const waitMaxMs = config.get('replica.fetch.wait.max.ms');
  must(
    waitMaxMs <= config.get('replica.socket.timeout.ms'),
    'replica.socket.timeout.ms should always be at least replica.fetch.wait.max.ms to prevent unnecessary socket timeouts',
  );
  must(
    waitMaxMs <= config.get('replica.lag.time.max.ms'),
    'replica.fetch.wait.max.ms should always be less than or equal to replica.lag.time.max.ms to prevent frequent changes in ISR',
  );
}

function checkConnections(config: BrokerConfig): void {
  const queuedMaxBytes = config.get('queued.max.request.bytes');
  must(
    queuedMaxBytes <= 0 || queuedMaxBytes >= config.get('socket.request.max.bytes'),
    'queued.max.request.bytes must be larger or equal to socket.request.max.bytes',
  );
  must(
    config.get('max.connections.per.ip') > 0 || config.get('max.connections.per.ip.overrides') !== '',
    'max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property is set.',
  );
  const idleMs = config.get('connections.max.idle.ms');
  const delayMs = config.get('connection.failed.authentication.delay.ms');
  must(
    idleMs < 0 || delayMs < idleMs,
    `connection.failed.authentication.delay.ms=${delayMs} should always be less than connections.max.idle.ms=${idleMs} to prevent failed authentication responses from timing out`,
  );
}

const HOST = /^[0-9a-zA-Z\-%._:]*$/;

const isJavaInt = (text: string): boolean => /^[+-]?\d+$/.test(text) && Number(text) === (Number(text) | 0);

/** A count below 0 is one that nobody keeps to: Kafka takes it, and lets none in from there. */
function checkConnectionOverrides(config: BrokerConfig): void {
  const entries = config.get('max.connections.per.ip.overrides').split(',');
  for (const entry of entries.map((part) => part.trim()).filter((part) => part !== '')) {
    const match = /^(.*):(.*)$/.exec(entry);
    must(
      match !== null,
      `max.connections.per.ip.overrides has an entry that is not of the form {host}:{count}: ${entry}`,
    );
    const [, host, count] = match as unknown as [string, string, string];
    if (!isJavaInt(count.trim())) throw new InvalidConfigError(`For input string: "${count.trim()}"`);
    if (!HOST.test(host.trim())) {
      throw new InvalidConfigError(`max.connections.per.ip.overrides contains invalid addresses : ${host.trim()}`);
    }
  }
}

function checkBrokerSession(config: BrokerConfig): void {
  if (!config.isBroker() || !config.isController()) return;
  const heartbeatMs = config.get('broker.heartbeat.interval.ms');
  const sessionMs = config.get('broker.session.timeout.ms');
  must(
    heartbeatMs * 2 <= sessionMs,
    `broker.heartbeat.interval.ms (${heartbeatMs} ms) must be less than or equal to half of the broker.session.timeout.ms (${sessionMs} ms).`,
  );
}

function checkCordoned(config: BrokerConfig): void {
  const cordoned = config.get('cordoned.log.dirs') ?? [];
  if (cordoned.includes('*')) {
    must(cordoned.length === 1, 'When cordoned.log.dirs is set to *, it must not contain other values');
    return;
  }
  const missing = cordoned.filter((dir) => !config.logDirs().includes(dir));
  must(
    missing.length === 0,
    `All entries in cordoned.log.dirs must be present in log.dirs or log.dir. Missing entries : ${missing.join(', ')}`,
  );
}

function checkGroups(config: BrokerConfig): void {
  must(
    config.get('group.coordinator.rebalance.protocols').includes('classic'),
    "Disabling the 'classic' protocol is not supported.",
  );
  for (const rule of GROUP_RULES) {
    const value = config.get(rule.name);
    const bound = config.get(rule.bound);
    const holds = rule.is === 'at least' ? value >= bound : rule.is === 'at most' ? value <= bound : value < bound;
    const words = { 'at least': 'greater than or equal to', 'at most': 'less than or equal to', below: 'less than' };
    must(holds, `${rule.name} must be ${words[rule.is]} ${rule.bound}`);
  }
}

/** Throws InvalidConfigError for the first contradiction. */
export function checkConsistency(config: BrokerConfig): void {
  checkNodeId(config);
  checkVoters(config);
  checkControllerListeners(config);
  checkBrokerListeners(config);
  checkAdvertisedAddresses(config);
  checkLog(config);
  checkReplication(config);
  checkConnections(config);
  checkConnectionOverrides(config);
  checkBrokerSession(config);
  checkCordoned(config);
  checkGroups(config);
}
