import { describe, expect, test } from 'vitest';
import { formatListener } from '../../src/config/listeners.ts';
import { type ConfigSources, loadConfig } from '../../src/config/load.ts';

const FILE = {
  name: 'server.properties',
  text: `# like the one that Kafka ships
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=localhost:9093
listeners=PLAINTEXT://:9092,CONTROLLER://:9093
advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093
controller.listener.names=CONTROLLER
log.dirs=/tmp/kraft-combined-logs
`,
};

function listenersOf(sources: ConfigSources) {
  const { listeners } = loadConfig(sources).config;
  return {
    bound: [...listeners.broker, ...listeners.controller].map(formatListener),
    advertised: listeners.advertisedBroker.map(formatListener),
  };
}

describe('layers', () => {
  test('without a file: a broker for development on loopback', () => {
    const { config, notices, clusterId } = loadConfig();
    expect(config.get('node.id')).toBe(1);
    expect(config.get('auto.create.topics.enable')).toBe(true);
    expect(config.get('group.initial.rebalance.delay.ms')).toBe(0);
    expect(config.get('offsets.topic.replication.factor')).toBe(1);
    expect(config.get('offsets.topic.num.partitions')).toBe(50);
    expect(config.logDirs()).toEqual(['./data']);
    expect(listenersOf({}).bound).toEqual(['PLAINTEXT://127.0.0.1:9092']);
    expect(notices).toEqual([]);
    expect(clusterId).toBeNull();
  });

  test("with a file: Kafka's own defaults", () => {
    const { config } = loadConfig({ file: FILE });
    expect(config.get('group.initial.rebalance.delay.ms')).toBe(3000);
    expect(config.get('offsets.topic.replication.factor')).toBe(3);
    expect(config.logDirs()).toEqual(['/tmp/kraft-combined-logs']);
  });

  test('file < environment < --set < flags', () => {
    const file = { ...FILE, text: `${FILE.text}num.partitions=2\nnum.partitions=3\nmin.insync.replicas=1\n` };
    const environment = { KAFKA_NUM_PARTITIONS: '4', KAFKA_LOG_RETENTION_HOURS: '5' };
    expect(loadConfig({ file }).config.get('num.partitions')).toBe(3);
    expect(loadConfig({ file, environment }).config.get('num.partitions')).toBe(4);
    const { config } = loadConfig({
      file,
      environment,
      set: ['num.partitions=5', 'num.partitions=6', 'log.dirs=/a=b'],
    });
    expect(config.get('num.partitions')).toBe(6);
    expect(config.get('log.retention.hours')).toBe(5);
    expect(config.logDirs()).toEqual(['/a=b']);
    expect(loadConfig({ set: ['log.dirs=/a'], dataDir: '/b' }).config.logDirs()).toEqual(['/b']);
  });

  test('the older name of the node id', () => {
    expect(loadConfig({ set: ['broker.id=7'] }).config.get('node.id')).toBe(7);
  });

  test('the cluster id of the image', () => {
    expect(loadConfig({ environment: { CLUSTER_ID: '5L6g3nShT-eMCtK--X86sw' } }).clusterId).toBe(
      '5L6g3nShT-eMCtK--X86sw',
    );
  });
});

describe('addresses', () => {
  test('--port and --host move the first listener for clients', () => {
    expect(listenersOf({ port: 0 }).bound).toEqual(['PLAINTEXT://127.0.0.1:0']);
    expect(listenersOf({ host: '::1', port: 5 }).bound).toEqual(['PLAINTEXT://[::1]:5']);
    expect(listenersOf({ file: FILE, port: 5 }).bound).toEqual(['PLAINTEXT://:5', 'CONTROLLER://:9093']);
    expect(listenersOf({ set: ['listeners=PLAINTEXT://[::1]:9092'], port: 5 }).bound).toEqual(['PLAINTEXT://[::1]:5']);
  });

  test('every address by host alone is advertised as localhost', () => {
    expect(listenersOf({ host: '0.0.0.0' })).toEqual({
      bound: ['PLAINTEXT://0.0.0.0:9092'],
      advertised: ['PLAINTEXT://localhost:9092'],
    });
    expect(listenersOf({ environment: { ODRADEK_HOST: '0.0.0.0' }, port: 7 }).advertised).toEqual([
      'PLAINTEXT://localhost:7',
    ]);
    expect(listenersOf({ host: '0.0.0.0', set: ['advertised.listeners=PLAINTEXT://h:1'] }).advertised).toEqual([
      'PLAINTEXT://h:1',
    ]);
  });

  test("the image's way: advertised listeners alone", () => {
    const environment = { ODRADEK_HOST: '0.0.0.0', KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://kafka:9092' };
    expect(listenersOf({ environment })).toEqual({
      bound: ['PLAINTEXT://0.0.0.0:9092'],
      advertised: ['PLAINTEXT://kafka:9092'],
    });
  });
});

describe('notices', () => {
  test('unknown names come with their place and the nearest name', () => {
    const file = { ...FILE, text: `${FILE.text}log.retention.hour=3\nwholly.unheard.of=1\n` };
    const environment = { KAFKA_RETENTION_MS: '4' };
    expect(loadConfig({ file, environment, set: ['num.partitons=2'] }).notices).toEqual([
      'Unknown configuration log.retention.hour (server.properties, line 9); did you mean log.retention.hours?',
      'Unknown configuration wholly.unheard.of (server.properties, line 10)',
      'Unknown configuration retention.ms (KAFKA_RETENTION_MS); did you mean log.retention.ms?',
      'Unknown configuration num.partitons (--set); did you mean num.partitions?',
    ]);
  });

  test('names without effect, each kind in one line', () => {
    const set = ['delegation.token.max.lifetime.ms=5000', 'delegation.token.expiry.time.ms=1', 'num.io.threads=3'];
    expect(loadConfig({ set }).notices).toEqual([
      'Not implemented yet, so without effect: delegation.token.max.lifetime.ms, delegation.token.expiry.time.ms',
      'Without a meaning in odradek, so without effect: num.io.threads',
    ]);
  });

  test.each([
    ['classic', []],
    ['classic,consumer,share,streams', []],
  ])('group.coordinator.rebalance.protocols=%s', (protocols, lines) => {
    expect(loadConfig({ set: [`group.coordinator.rebalance.protocols=${protocols}`] }).notices).toEqual(lines);
  });

  test('what limits connections and writes checkpoints is heeded', () => {
    const set = [
      'socket.listen.backlog.size=10',
      'max.connections.per.ip.overrides=127.0.0.1:5',
      'log.flush.start.offset.checkpoint.interval.ms=1000',
    ];
    expect(loadConfig({ set }).notices).toEqual([]);
  });
});

describe('refusals', () => {
  test.each<[ConfigSources, string]>([
    [
      { environment: { KAFKA_LOG_RETENTION_HOURS: 'x' } },
      'Invalid value x for configuration log.retention.hours: Not a number of type INT (KAFKA_LOG_RETENTION_HOURS)',
    ],
    [
      { file: { ...FILE, text: `${FILE.text}log.cleanup.policy=delete,,compact` } },
      "Configuration 'log.cleanup.policy' values must not be empty. (server.properties, line 9)",
    ],
    [{ file: { name: 'f', text: '' } }, 'Missing required configuration "process.roles" which has no default value.'],
    [{ set: ['num.partitions'] }, '--set takes name=value, not num.partitions'],
    [{ set: ['listeners='], port: 1 }, '--host and --port need a listener for clients'],
    [
      { set: ['listeners=SSL://:1', 'inter.broker.listener.name=SSL'] },
      'Listener SSL asks for SSL, which odradek does not implement yet',
    ],
    [{ set: ['authorizer.class.name=a.B'] }, 'authorizer.class.name names a Java class'],
    [
      { set: ['group.consumer.assignors=uniform,my.Assignor'] },
      'group.consumer.assignors names my.Assignor, which odradek does not have.',
    ],
    [{ set: ['remote.log.storage.system.enable=true'] }, 'remote.log.storage.system.enable asks for tiered storage'],
    [
      { set: ['listeners=PLAINTEXT://:1,CONTROLLER://:2', 'controller.quorum.voters=1@h:2,2@h:2'] },
      'odradek runs as one node',
    ],
  ])('%j', (sources, message) => {
    expect(() => loadConfig(sources)).toThrow(message);
  });
});
