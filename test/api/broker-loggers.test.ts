import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DescribeConfigsRequest, DescribeConfigsResponse } from '../../protocol/messages/32-describe-configs.ts';
import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../protocol/messages/44-incremental-alter-configs.ts';
import { Odradek } from '../../src/index.ts';
import { CollectingLogger } from '../support/loggers.ts';
import { WireClient } from '../support/wire-client.ts';

const Alter = { request: IncrementalAlterConfigsRequest, response: IncrementalAlterConfigsResponse };
const Describe = { request: DescribeConfigsRequest, response: DescribeConfigsResponse };
const [SET, DELETE, APPEND] = [0, 1, 2];
const LOGGER = 8;

/** Children have a level of their own, as pino's have. */
class Leveled extends CollectingLogger {
  override child(): Leveled {
    return new Leveled();
  }
}

let broker: Odradek;
let client: WireClient;
const root = new Leveled();

beforeAll(async () => {
  broker = await Odradek.start({ inMemory: true, logger: root });
  client = await WireClient.connect(broker.bootstrapServers);
});
afterAll(async () => {
  await client.close();
  await broker.stop();
});

async function levels(): Promise<Map<string, string | null>> {
  const resources = [{ resourceType: LOGGER, resourceName: '1', configurationKeys: null }];
  const { results } = await client.request(Describe, 4, { resources });
  return new Map(results[0].configs.map(({ name, value }) => [name, value]));
}

async function alter(resourceName: string, name: string, configOperation: number, value: string | null) {
  const resources = [{ resourceType: LOGGER, resourceName, configs: [{ name, configOperation, value }] }];
  const { responses } = await client.request(Alter, 1, { resources });
  return [responses[0].errorCode, responses[0].errorMessage];
}

describe("the broker's loggers", () => {
  it('are told with their levels, set one by one, and follow the root where they have none of their own', async () => {
    expect((await levels()).get('root')).toBe('INFO');
    expect(await alter('1', 'odradek.group', SET, 'DEBUG')).toEqual([0, null]);
    expect(await alter('1', 'root', SET, 'ERROR')).toEqual([0, null]);
    expect(root.level).toBe('error');
    expect(await levels()).toEqual(
      new Map([
        ['root', 'ERROR'],
        ['odradek.net', 'ERROR'],
        ['odradek.storage', 'ERROR'],
        ['odradek.share', 'ERROR'],
        ['odradek.transaction', 'ERROR'],
        ['odradek.controller', 'ERROR'],
        ['odradek.partition', 'ERROR'],
        ['odradek.group', 'DEBUG'],
        ['odradek.share', 'ERROR'],
        ['odradek.api', 'ERROR'],
        ['odradek.cleaner', 'ERROR'],
      ]),
    );
    await alter('1', 'odradek.group', DELETE, null);
    expect((await levels()).get('odradek.group')).toBe('ERROR');
  });

  it.each([
    ['1', 'nosuch.logger', SET, 'DEBUG', [40, 'Logger nosuch.logger does not exist!']],
    ['1', 'root', APPEND, 'DEBUG', [42, 'APPEND operation is not allowed for the BROKER_LOGGER resource']],
    ['2', 'root', SET, 'DEBUG', [42, 'Unexpected node id. Expected 1, but received 2']],
    ['', 'root', SET, 'DEBUG', [42, 'Node id must be an integer, but it is: ']],
    ['1', 'root', DELETE, null, [42, 'Removing the log level of the root logger is not allowed']],
  ])('%s %s %i %s is refused', async (resource, name, operation, value, error) => {
    expect(await alter(resource, name, operation, value)).toEqual(error);
  });

  it('take no level that does not exist', async () => {
    const [code, message] = await alter('1', 'root', SET, 'SHOUT');
    expect([code, message]).toEqual([40, expect.stringContaining('Cannot set the log level of root to SHOUT')]);
  });
});
