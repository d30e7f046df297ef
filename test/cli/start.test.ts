import { describe, expect, test } from 'vitest';
import { startOptions } from '../../src/cli/options.ts';
import { type Host, type StartedNode, start } from '../../src/cli/start.ts';
import { InvalidConfigError } from '../../src/config/value.ts';
import type { Logger } from '../../src/env.ts';
import type { NodeOptions } from '../../src/node/running.ts';
import { DiskError } from '../../storage/index.ts';

const NEVER = new Promise<Error>(() => {});

/** A process that is none: what was printed, what was logged, and signals at the push of a button. */
class FakeHost implements Host {
  readonly printed: string[] = [];
  readonly errors: string[] = [];
  readonly warnings: string[] = [];
  readonly exits: number[] = [];
  readonly environment: Record<string, string> = {};
  readonly files = new Map<string, string>();
  stops = 0;
  given: NodeOptions | null = null;
  startNode: (options: NodeOptions) => Promise<StartedNode>;
  readonly #handlers = new Map<string, () => void>();

  constructor(startNode?: (options: NodeOptions) => Promise<StartedNode>) {
    this.startNode =
      startNode ??
      (async (options) => {
        this.given = options;
        return {
          listeners: [{ name: 'PLAINTEXT', host: '127.0.0.1', port: 40_001 }],
          failed: NEVER,
          stop: async () => {
            this.stops++;
          },
        };
      });
  }

  readFile = (path: string): string => {
    const text = this.files.get(path);
    if (text === undefined) throw new Error('ENOENT: no such file');
    return text;
  };

  createLogger = async (): Promise<Logger> => {
    const logger: Logger = {
      level: 'info',
      debug: () => {},
      info: () => {},
      warn: (_fields, message) => this.warnings.push(message),
      error: () => {},
      child: () => logger,
    };
    return logger;
  };

  print(line: string): void {
    this.printed.push(line);
  }

  printError(line: string): void {
    this.errors.push(line);
  }

  onSignal(signal: string, handler: () => void): void {
    this.#handlers.set(signal, handler);
  }

  exit(code: number): void {
    this.exits.push(code);
  }

  send(signal: 'SIGTERM' | 'SIGINT'): void {
    this.#handlers.get(signal)?.();
  }
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('a broker that starts', () => {
  test('prints the ready line, runs until SIGTERM, stops and exits 0', async () => {
    const host = new FakeHost();
    const code = start(startOptions({ port: '0', 'in-memory': true }), host);
    await settled();
    expect(host.printed).toEqual(['odradek ready: PLAINTEXT://127.0.0.1:40001']);
    expect(host.given?.inMemory).toBe(true);
    expect(host.given?.config.listeners.broker[0]?.port).toBe(0);
    expect(host.stops).toBe(0);
    host.send('SIGTERM');
    expect(await code).toBe(0);
    expect(host.stops).toBe(1);
    expect(host.exits).toEqual([]);
  });

  test('takes its configuration from the file, the environment and --set', async () => {
    const host = new FakeHost();
    host.files.set(
      '/c',
      'node.id=3\nprocess.roles=broker,controller\ncontroller.listener.names=C\nnum.partitons=2\nlisteners=PLAINTEXT://:1',
    );
    host.environment.KAFKA_NUM_PARTITIONS = '4';
    host.environment.CLUSTER_ID = 'xWcTM3-yQxKnheAUjfHFfw';
    const code = start(startOptions({ config: '/c', set: ['min.insync.replicas=2'] }), host);
    await settled();
    expect(host.given?.config.get('node.id')).toBe(3);
    expect(host.given?.config.get('num.partitions')).toBe(4);
    expect(host.given?.config.get('min.insync.replicas')).toBe(2);
    expect(host.given?.clusterId).toBe('xWcTM3-yQxKnheAUjfHFfw');
    expect(host.warnings).toEqual(['Unknown configuration num.partitons (/c, line 4); did you mean num.partitions?']);
    host.send('SIGINT');
    expect(await code).toBe(0);
  });

  test('a second signal ends the process at once', async () => {
    const host = new FakeHost(async () => ({ listeners: [], failed: NEVER, stop: () => new Promise(() => {}) }));
    void start(startOptions({}), host);
    await settled();
    host.send('SIGTERM');
    await settled();
    expect(host.exits).toEqual([]);
    host.send('SIGINT');
    expect(host.exits).toEqual([1]);
  });

  test('a node that cannot go on ends the process with the reason', async () => {
    const failed = Promise.resolve(new DiskError('IO', '/data', new Error('EIO')));
    let stops = 0;
    const host = new FakeHost(async () => ({ listeners: [], failed, stop: async () => void stops++ }));
    expect(await start(startOptions({}), host)).toBe(1);
    expect([host.errors, stops]).toEqual([['odradek: /data cannot be read or written.'], 0]);
  });

  test('a signal during start-up stops the broker once it is up', async () => {
    let up: (node: StartedNode) => void = () => {};
    const host = new FakeHost(
      () =>
        new Promise((resolve) => {
          up = resolve;
        }),
    );
    const code = start(startOptions({}), host);
    await settled();
    host.send('SIGTERM');
    let stops = 0;
    up({ listeners: [], failed: NEVER, stop: async () => void stops++ });
    expect(await code).toBe(0);
    expect(stops).toBe(1);
  });
});

describe('a broker that does not start', () => {
  async function failure(error: unknown): Promise<string[]> {
    const host = new FakeHost(() => Promise.reject(error));
    expect(await start(startOptions({}), host)).toBe(1);
    expect(host.printed).toEqual([]);
    return host.errors;
  }

  test('says in one line why', async () => {
    const error = Object.assign(new Error('listen EADDRINUSE'), {
      code: 'EADDRINUSE',
      address: '127.0.0.1',
      port: 9092,
    });
    expect(await failure(error)).toEqual([
      'odradek: Port 9092 is taken: something listens on 127.0.0.1:9092 already. Another one can be chosen with --port.',
    ]);
    expect(await failure(new InvalidConfigError('Invalid cluster.id in: x'))).toEqual([
      'odradek: Invalid cluster.id in: x',
    ]);
  });

  test('shows where a bug is', async () => {
    const [line] = await failure(new TypeError('x is not a function'));
    expect(line).toMatch(/^odradek: unexpected failure: TypeError: x is not a function\n\s+at /);
  });

  test('over its configuration', async () => {
    const host = new FakeHost();
    expect(await start(startOptions({ config: '/missing' }), host)).toBe(1);
    expect(await start(startOptions({ set: ['num.partitions=0'] }), host)).toBe(1);
    expect(host.errors).toEqual([
      'odradek: Cannot read /missing: ENOENT: no such file',
      'odradek: Invalid value 0 for configuration num.partitions: Value must be at least 1 (--set)',
    ]);
    expect(host.given).toBeNull();
  });
});
