import { expect, it } from 'vitest';
import { eventually, uniqueName } from '../helpers.ts';
import { describeTools, lines } from './tools.ts';

describeTools('kafka-configs', ({ tool, attempt }) => {
  const configs = (...args: string[]): Promise<string> => tool('kafka.admin.ConfigCommand', args);
  /** What is described below the heading, as name=value. */
  const described = async (...args: string[]): Promise<string[]> =>
    lines(await configs('--describe', ...args))
      .slice(1)
      .map((line) => line.split(' ')[0]);
  const refusal = async (...args: string[]): Promise<string> => {
    const { stdout, stderr, code } = await attempt('kafka.admin.ConfigCommand', args);
    expect(code).toBe(1);
    return stdout + stderr;
  };

  it('topics: sets, shows with synonyms, and removes', async () => {
    const topic = uniqueName('configured');
    await tool('TopicCommand', ['--create', '--topic', topic]);
    const entity = ['--entity-type', 'topics', '--entity-name', topic];
    const changed = await configs(
      '--alter',
      ...entity,
      '--add-config',
      'cleanup.policy=[compact,delete],max.message.bytes=2000',
    );
    expect(changed.trim()).toBe(`Completed updating config for topic ${topic}.`);
    expect(lines(await configs('--describe', ...entity))).toEqual([
      `Dynamic configs for topic ${topic} are:`,
      'cleanup.policy=compact,delete sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:cleanup.policy=compact,delete, DEFAULT_CONFIG:log.cleanup.policy=delete}',
      'max.message.bytes=2000 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:max.message.bytes=2000, DEFAULT_CONFIG:message.max.bytes=1048588}',
    ]);
    await configs('--alter', ...entity, '--delete-config', 'max.message.bytes');
    expect(await described(...entity)).toEqual(['cleanup.policy=compact,delete']);
    expect(await described(...entity, '--all')).toContain('retention.ms=604800000');
  });

  it('topics: refuses bad values and unknown names', async () => {
    const topic = uniqueName('configured');
    await tool('TopicCommand', ['--create', '--topic', topic]);
    const entity = ['--entity-type', 'topics', '--entity-name', topic];
    expect(await refusal('--alter', ...entity, '--add-config', 'retention.ms=abc')).toContain(
      'InvalidConfigurationException: Invalid value abc for configuration retention.ms: Not a number of type LONG',
    );
    expect(await refusal('--alter', ...entity, '--add-config', 'no.such.config=1')).toContain(
      'InvalidConfigurationException: Unknown topic config name: no.such.config',
    );
  });

  it('brokers: per broker and for all', async () => {
    const one = ['--entity-type', 'brokers', '--entity-name', '1'];
    const all = ['--entity-type', 'brokers', '--entity-default'];
    await configs('--alter', ...one, '--add-config', 'log.cleaner.threads=2');
    await configs('--alter', ...all, '--add-config', 'log.retention.ms=98765432');
    try {
      const changed =
        'log.cleaner.threads=2 sensitive=false synonyms={DYNAMIC_BROKER_CONFIG:log.cleaner.threads=2, DEFAULT_CONFIG:log.cleaner.threads=1}';
      await eventually(async () => lines(await configs('--describe', ...one)).includes(changed));
      expect(await described(...all)).toContain('log.retention.ms=98765432');
      const topic = uniqueName('inherits');
      await tool('TopicCommand', ['--create', '--topic', topic]);
      const inherited = await described('--entity-type', 'topics', '--entity-name', topic, '--all');
      expect(inherited).toContain('retention.ms=98765432');
    } finally {
      await configs('--alter', ...one, '--delete-config', 'log.cleaner.threads');
      await configs('--alter', ...all, '--delete-config', 'log.retention.ms');
    }
    expect(await refusal('--alter', ...one, '--add-config', 'num.partitions=4')).toContain(
      'InvalidRequestException: Cannot update these configs dynamically: [num.partitions]',
    );
  });

  it('broker-loggers: lists levels, changes one', async () => {
    const loggers = ['--entity-type', 'broker-loggers', '--entity-name', '1'];
    const before = await described(...loggers);
    expect(before.length).toBeGreaterThan(0);
    expect(before.every((line) => /=(OFF|FATAL|ERROR|WARN|INFO|DEBUG|TRACE)$/.test(line))).toBe(true);
    const name = before[0].slice(0, before[0].lastIndexOf('='));
    await configs('--alter', ...loggers, '--add-config', `${name}=ERROR`);
    expect(await described(...loggers)).toContain(`${name}=ERROR`);
    await configs('--alter', ...loggers, '--add-config', `${name}=INFO`);
    expect(await refusal('--alter', ...loggers, '--add-config', `${name}=SHOUT`)).toMatch(/InvalidConfig/);
  });

  it('client quotas: clients, users, ips', async () => {
    const client = uniqueName('client');
    const user = uniqueName('user');
    await configs(
      '--alter',
      '--entity-type',
      'clients',
      '--entity-name',
      client,
      '--add-config',
      'producer_byte_rate=1000,consumer_byte_rate=2000',
    );
    expect((await configs('--describe', '--entity-type', 'clients', '--entity-name', client)).trim()).toBe(
      `Quota configs for client-id '${client}' are consumer_byte_rate=2000.0, producer_byte_rate=1000.0`,
    );
    const pair = ['--entity-type', 'users', '--entity-name', user, '--entity-type', 'clients', '--entity-default'];
    await configs('--alter', ...pair, '--add-config', 'request_percentage=50');
    expect(lines(await configs('--describe', '--entity-type', 'users', '--entity-type', 'clients'))).toContain(
      `Quota configs for user-principal '${user}', the default client-id are request_percentage=50.0`,
    );
    const ip = ['--entity-type', 'ips', '--entity-name', '127.0.0.9'];
    await configs('--alter', ...ip, '--add-config', 'connection_creation_rate=10');
    expect((await configs('--describe', ...ip)).trim()).toBe(
      "Quota configs for ip '127.0.0.9' are connection_creation_rate=10.0",
    );
    await configs(
      '--alter',
      '--entity-type',
      'clients',
      '--entity-name',
      client,
      '--delete-config',
      'producer_byte_rate',
    );
    expect((await configs('--describe', '--entity-type', 'clients', '--entity-name', client)).trim()).toBe(
      `Quota configs for client-id '${client}' are consumer_byte_rate=2000.0`,
    );
    for (const [entity, names] of [
      [pair, 'request_percentage'],
      [ip, 'connection_creation_rate'],
    ] as const)
      await configs('--alter', ...entity, '--delete-config', names);
  });

  it('users: SCRAM credentials, one mechanism to a request', async () => {
    const user = ['--entity-type', 'users', '--entity-name', uniqueName('alice')];
    await configs('--alter', ...user, '--add-config', 'SCRAM-SHA-256=[iterations=4096,password=secret]');
    await configs('--alter', ...user, '--add-config', 'SCRAM-SHA-512=[iterations=8192,password=secret]');
    const heading = `SCRAM credential configs for user-principal '${user[3]}' are `;
    // Kafka gives the mechanisms in no order.
    const both = (await configs('--describe', ...user)).trim();
    expect([
      `${heading}SCRAM-SHA-256=iterations=4096, SCRAM-SHA-512=iterations=8192`,
      `${heading}SCRAM-SHA-512=iterations=8192, SCRAM-SHA-256=iterations=4096`,
    ]).toContain(both);
    await configs('--alter', ...user, '--delete-config', 'SCRAM-SHA-256');
    expect((await configs('--describe', ...user)).trim()).toBe(`${heading}SCRAM-SHA-512=iterations=8192`);
    expect(await refusal('--alter', ...user, '--delete-config', 'SCRAM-SHA-256')).toContain(
      'Attempt to delete a user credential that does not exist',
    );
    const atOnce = 'SCRAM-SHA-256=[password=secret],SCRAM-SHA-512=[password=secret]';
    expect(await refusal('--alter', ...user, '--add-config', atOnce)).toContain(
      'A user credential cannot be altered twice in the same request',
    );
    await configs('--alter', ...user, '--delete-config', 'SCRAM-SHA-512');
  });

  it('client-metrics: subscriptions, also with kafka-client-metrics', async () => {
    const name = uniqueName('metrics');
    const subscription = ['--entity-type', 'client-metrics', '--entity-name', name];
    await configs('--alter', ...subscription, '--add-config', 'metrics=[org.apache.kafka.],interval.ms=30000');
    expect(await described(...subscription)).toEqual(['interval.ms=30000', 'metrics=org.apache.kafka.']);
    expect(lines(await tool('ClientMetricsCommand', ['--list']))).toContain(name);
    expect(lines(await tool('ClientMetricsCommand', ['--describe', '--name', name]))).toEqual([
      `Client metrics configs for ${name} are:`,
      'interval.ms=30000',
      'match=',
      'metrics=org.apache.kafka.',
    ]);
    await tool('ClientMetricsCommand', ['--delete', '--name', name]);
    expect(lines(await tool('ClientMetricsCommand', ['--list']))).not.toContain(name);
    expect(await refusal('--alter', ...subscription, '--add-config', 'interval.ms=1')).toMatch(
      /InvalidRequestException|InvalidConfiguration/,
    );
  });

  it('groups: overrides of the coordinator’s settings', async () => {
    const group = ['--entity-type', 'groups', '--entity-name', uniqueName('group')];
    await configs('--alter', ...group, '--add-config', 'consumer.session.timeout.ms=50000');
    expect(lines(await configs('--describe', ...group)).at(-1)).toBe(
      'consumer.session.timeout.ms=50000 sensitive=false synonyms={DYNAMIC_GROUP_CONFIG:consumer.session.timeout.ms=50000, DEFAULT_CONFIG:group.consumer.session.timeout.ms=45000}',
    );
    await configs('--alter', ...group, '--delete-config', 'consumer.session.timeout.ms');
    expect(await described(...group)).toEqual([]);
  });
});
