import { afterEach, describe, expect, it } from 'vitest';
import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../protocol/messages/44-incremental-alter-configs.ts';
import { apis } from '../../protocol/messages/index.ts';
import { Odradek } from '../../src/index.ts';
import { ConnectionLimits, hostOf, parseOverrides } from '../../src/net/connection-limits.ts';
import { WireClient } from '../support/wire-client.ts';

const ApiVersions = apis[18];
const AlterConfigs = { request: IncrementalAlterConfigsRequest, response: IncrementalAlterConfigsResponse };
const software = { clientSoftwareName: 'test', clientSoftwareVersion: '1.0' };

describe('ConnectionLimits', () => {
  const connection = (clientHost: string, lastActiveMs = 0) => {
    const ended: string[] = [];
    return { clientHost, lastActiveMs, ended, end: () => ended.push(clientHost) };
  };
  const limits = { maxConnections: 3, maxPerIp: 1, maxPerIpOverrides: new Map([['10.0.0.2', 2]]) };

  it('counts all connections and those of each address', () => {
    const counted = new ConnectionLimits(limits);
    const [one, two, three] = ['10.0.0.1', '10.0.0.2', '10.0.0.2'].map((host) => connection(host));
    counted.add(one);
    counted.add(two);
    expect(['10.0.0.1', '10.0.0.2', '10.0.0.3'].map((host) => counted.allows(host))).toEqual([false, true, true]);
    counted.add(three);
    expect(counted.allows('10.0.0.2')).toBe(false);
    expect(counted.hasRoom()).toBe(false);
    counted.remove(two);
    counted.remove(two);
    expect(counted.allows('10.0.0.2')).toBe(true);
    expect(counted.hasRoom()).toBe(true);
  });

  it('tells when there is room again', () => {
    const counted = new ConnectionLimits({ ...limits, maxConnections: 1 });
    let told = 0;
    counted.onRoom(() => told++);
    const one = connection('10.0.0.1');
    counted.add(one);
    counted.remove(one);
    expect(told).toBe(1);
    counted.add(one);
    counted.change({ ...limits, maxConnections: 1 });
    expect(told).toBe(1);
    counted.change(limits);
    expect(told).toBe(2);
  });

  it('ends those that were silent longest where fewer are allowed than there are', () => {
    const counted = new ConnectionLimits({ ...limits, maxPerIp: 9 });
    const all = [5, 1, 3].map((lastActiveMs) => connection('10.0.0.1', lastActiveMs));
    for (const one of all) counted.add(one);
    counted.change({ ...limits, maxConnections: 1 });
    expect(all.map(({ ended }) => ended.length)).toEqual([0, 1, 1]);
  });

  it('knows an IPv4 address in the clothes of IPv6', () => {
    const addresses = ['::ffff:127.0.0.1', '127.0.0.1', '::1', '::ffff:1', undefined];
    expect(addresses.map(hostOf)).toEqual(['127.0.0.1', '127.0.0.1', '::1', '::ffff:1', '']);
  });

  it('reads overrides, and resolves names', async () => {
    const overrides = await parseOverrides('127.0.0.1:5, ::1:6,somewhere:7', async (host) => `address of ${host}`);
    expect([...overrides]).toEqual([
      ['127.0.0.1', 5],
      ['::1', 6],
      ['address of somewhere', 7],
    ]);
    expect((await parseOverrides('', async (host) => host)).size).toBe(0);
  });
});

describe('a broker', () => {
  let broker: Odradek;
  afterEach(() => broker.stop());

  const start = async (config: Record<string, string>) => {
    broker = await Odradek.start({ inMemory: true, config });
  };
  const connect = () => WireClient.connect(broker.bootstrapServers);
  const ask = (client: WireClient) => client.request(ApiVersions, 3, software).then(({ errorCode }) => errorCode);
  const silentFor = (answer: Promise<unknown>, ms: number) =>
    Promise.race([answer, new Promise((resolve) => setTimeout(resolve, ms, 'silent'))]);
  const set = (client: WireClient, name: string, value: string) =>
    client.request(AlterConfigs, 1, {
      resources: [{ resourceType: 4, resourceName: '', configs: [{ name, configOperation: 0, value }] }],
      validateOnly: false,
    });

  it('lets those beyond max.connections wait until another one closes', async () => {
    await start({ 'max.connections': '1' });
    const first = await connect();
    expect(await ask(first)).toBe(0);
    const second = await connect();
    const answer = ask(second);
    expect(await silentFor(answer, 50)).toBe('silent');
    await first.close();
    expect(await answer).toBe(0);
    await second.close();
  });

  it('refuses those for whom there is no room to wait', async () => {
    await start({ 'max.connections': '1', 'socket.listen.backlog.size': '1' });
    const clients = [await connect(), await connect(), await connect()];
    expect(await ask(clients[0])).toBe(0);
    await clients[2].closed;
    await clients[0].close();
    expect(await ask(clients[1])).toBe(0);
  });

  it('follows a change of max.connections while it runs', async () => {
    await start({ 'max.connections': '1' });
    const admin = await connect();
    const second = await connect();
    const answer = ask(second);
    await set(admin, 'max.connections', '2');
    expect(await answer).toBe(0);
    // the silent one goes, the one that asks stays
    await new Promise((resolve) => setTimeout(resolve, 5));
    await set(admin, 'max.connections', '1');
    await second.closed;
    expect(await ask(admin)).toBe(0);
  });

  it('closes those beyond max.connections.per.ip at once, but for the overrides', async () => {
    await start({ 'max.connections.per.ip': '0', 'max.connections.per.ip.overrides': 'localhost:1' });
    const first = await connect();
    expect(await ask(first)).toBe(0);
    const second = await connect();
    await second.closed;
    await set(first, 'max.connections.per.ip.overrides', '127.0.0.1:2');
    const third = await connect();
    expect(await ask(third)).toBe(0);
    await set(first, 'max.connections.per.ip.overrides', '127.0.0.2:2');
    const fourth = await connect();
    await fourth.closed;
  });

  it('does not start with an override for a host that is not known', async () => {
    const config = { 'max.connections.per.ip.overrides': 'a..b:1' };
    await expect(start(config)).rejects.toThrow('names a..b, a host that is not known');
    await start({});
  });

  it('closes a connection that was idle for connections.max.idle.ms', async () => {
    await start({ 'connections.max.idle.ms': '300', 'connection.failed.authentication.delay.ms': '0' });
    const client = await connect();
    expect(await ask(client)).toBe(0);
    await client.closed;
  });
});
