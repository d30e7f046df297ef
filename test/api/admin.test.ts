import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { decode, encode } from '../../protocol/compile.ts';
import { apis } from '../../protocol/messages/index.ts';
import type { InputOf, Message } from '../../protocol/schema.ts';
import { ZERO_UUID } from '../../protocol/uuid.ts';
import { GENERIC_INVALID_REQUEST } from '../../src/api/generic-messages.ts';
import { handlers } from '../../src/api/index.ts';
import { Odradek } from '../../src/index.ts';
import { WireClient } from '../support/wire-client.ts';

let broker: Odradek;
let client: WireClient;

beforeAll(async () => {
  broker = await Odradek.start({ inMemory: true, topics: [{ name: 'a' }] });
  client = await WireClient.connect(broker.bootstrapServers);
});
afterAll(async () => {
  await client.close();
  await broker.stop();
});

const acl = { resourceType: 2, resourceName: 'a', principal: 'User:a', host: '*', operation: 3, permissionType: 3 };
const anyAcl = {
  resourceTypeFilter: 1,
  resourceNameFilter: null,
  patternTypeFilter: 3,
  principalFilter: null,
  hostFilter: null,
  operation: 1,
  permissionType: 1,
};
const configs = [{ name: 'retention.ms', value: '1000' }];
const metadataLog = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }];
const voter = { clusterId: null, voterId: 2, voterDirectoryId: ZERO_UUID };

/** A request that fits every version, except for the fields that `only` adds from or up to a version. */
const requests: Record<number, (version: number) => object> = {
  17: () => ({ mechanism: 'PLAIN' }),
  19: (v) => ({
    topics: [
      { name: `v${v}`, numPartitions: v < 4 ? 1 : -1, replicationFactor: v < 4 ? 1 : -1, assignments: [], configs },
    ],
    timeoutMs: 1000,
    validateOnly: false,
  }),
  20: (v) => (v < 6 ? { topicNames: ['nosuch'], timeoutMs: 1000 } : { topics: [{ name: 'nosuch' }], timeoutMs: 1000 }),
  29: () => anyAcl,
  30: () => ({ creations: [acl] }),
  31: () => ({ filters: [anyAcl] }),
  32: () => ({ resources: [{ resourceType: 2, resourceName: 'a', configurationKeys: null }], includeSynonyms: true }),
  33: () => ({ resources: [{ resourceType: 2, resourceName: 'a', configs }] }),
  34: () => ({ dirs: [{ path: '/nosuch', topics: [{ name: 'a', partitions: [0] }] }] }),
  36: () => ({ authBytes: Buffer.from('x') }),
  37: () => ({ topics: [{ name: 'a', count: 1, assignments: null }], timeoutMs: 1000 }),
  38: () => ({ renewers: [], maxLifetimeMs: -1 }),
  39: () => ({ hmac: Buffer.from('x'), renewPeriodMs: 1 }),
  40: () => ({ hmac: Buffer.from('x'), expiryTimePeriodMs: 1 }),
  41: () => ({ owners: null }),
  43: () => ({ topicPartitions: [{ topic: 'a', partitions: [0] }] }),
  44: () => ({ resources: [{ resourceType: 2, resourceName: 'a', configs: [{ ...configs[0], configOperation: 0 }] }] }),
  45: () => ({ topics: [{ name: 'a', partitions: [{ partitionIndex: 0, replicas: null }] }] }),
  46: () => ({ topics: null }),
  48: () => ({ components: [] }),
  49: () => ({
    entries: [
      {
        entity: [{ entityType: 'user', entityName: 'u' }],
        ops: [{ key: 'producer_byte_rate', value: 1 }],
      },
    ],
  }),
  50: () => ({ users: [{ name: 'u' }] }),
  51: () => ({ deletions: [{ name: 'u', mechanism: 1 }], upsertions: [] }),
  55: () => ({ topics: metadataLog }),
  57: () => ({ featureUpdates: [{ feature: 'group.version', maxVersionLevel: 1 }] }),
  60: () => ({ includeClusterAuthorizedOperations: true }),
  64: () => ({ brokerId: 9 }),
  74: () => ({}),
  80: () => ({ ...voter, timeoutMs: 0, listeners: [] }),
  81: () => voter,
};

/** Key to the version range that Kafka 4.3.1 tells its clients. */
const RANGES: Record<number, [number, number]> = {
  17: [0, 1],
  19: [2, 7],
  20: [1, 6],
  29: [1, 3],
  30: [1, 3],
  31: [1, 3],
  32: [1, 4],
  33: [0, 2],
  34: [1, 2],
  36: [0, 2],
  37: [0, 3],
  38: [1, 3],
  39: [1, 2],
  40: [1, 2],
  41: [1, 3],
  43: [0, 2],
  44: [0, 1],
  45: [0, 1],
  46: [0, 0],
  48: [0, 1],
  49: [0, 1],
  50: [0, 0],
  51: [0, 0],
  55: [0, 2],
  57: [0, 2],
  60: [0, 2],
  64: [0, 0],
  74: [0, 1],
  80: [0, 1],
  81: [0, 0],
};

const versions = Object.entries(RANGES).flatMap(([key, [from, to]]) =>
  Array.from({ length: to - from + 1 }, (_, i): [number, number] => [Number(key), from + i]),
);
const apiOf = (key: number) => apis[key as keyof typeof apis] as unknown as { request: Message; response: Message };
const handlerOf = (key: number) => handlers.find((h) => h.request.apiKey === key);

describe('every version', () => {
  test.each(Object.entries(RANGES))('of API %s that Kafka 4.3.1 serves is served', (key, range) => {
    expect(handlerOf(Number(key))?.versions).toEqual(range);
  });

  test.each(versions)('API %i v%i is answered', async (key, version) => {
    const body = requests[key](version) as InputOf<Message>;
    await expect(client.request(apiOf(key), version, body)).resolves.toBeTypeOf('object');
  });

  test.each(versions)('API %i v%i has a form for failures', (key, version) => {
    const { request, response } = apiOf(key);
    const received = decode(request, version, encode(request, version, requests[key](version)));
    const failure = handlerOf(key)?.failed(received as never, -1, 'it failed', version);
    expect(encode(response, version, failure ?? {}).length).toBeGreaterThan(0);
  });
});

/** The response of the newest version; fields that Kafka would also give are compared by the caller. */
const ask = (key: number, body: object): Promise<Record<string, unknown>> =>
  client.request(apiOf(key), RANGES[key][1], body as InputOf<Message>) as Promise<Record<string, unknown>>;

describe('what Kafka 4.3.1 answers on a listener without authentication or authorizer', () => {
  const NO_AUTHORIZER = { errorCode: 54, errorMessage: 'No Authorizer is configured.' };
  test.each<[number, object, object]>([
    [17, { mechanism: 'PLAIN' }, { errorCode: 34, mechanisms: [] }],
    [
      36,
      { authBytes: Buffer.from('x') },
      { errorCode: 34, errorMessage: 'SaslAuthenticate request received after successful authentication' },
    ],
    [29, anyAcl, { errorCode: 54, errorMessage: 'No Authorizer is configured on the broker', resources: [] }],
    [30, { creations: [acl, acl] }, { results: [NO_AUTHORIZER, NO_AUTHORIZER] }],
    [31, { filters: [anyAcl] }, { filterResults: [{ ...NO_AUTHORIZER, matchingAcls: [] }] }],
    [
      38,
      { ownerPrincipalType: 'User', ownerPrincipalName: 'x', renewers: [], maxLifetimeMs: -1 },
      {
        errorCode: 64,
        principalName: 'x',
        tokenRequesterPrincipalType: 'User',
        tokenRequesterPrincipalName: 'ANONYMOUS',
        expiryTimestampMs: -1,
      },
    ],
    [39, { hmac: Buffer.from('x'), renewPeriodMs: 1 }, { errorCode: 64, expiryTimestampMs: -1 }],
    [41, { owners: null }, { errorCode: 64, tokens: [] }],
    [64, { brokerId: 9 }, { errorCode: 102, errorMessage: 'Broker ID 9 is not currently registered' }],
    [80, requests[80](1), { errorCode: 42, errorMessage: "Add voter request didn't include a valid voter" }],
    [81, voter, { errorCode: 42, errorMessage: "Remove voter request didn't include a valid voter" }],
  ])('API %i %j', async (key, body, expected) => {
    expect(await ask(key, body)).toMatchObject(expected);
  });

  it('closes the connection for an unknown element of an ACL', async () => {
    const other = await WireClient.connect(broker.bootstrapServers);
    await expect(other.request(apiOf(30), 3, { creations: [{ ...acl, operation: 0 }] })).rejects.toThrow('closed');
    await other.close();
  });
});

describe('DescribeProducers', () => {
  it('says in words that there is no such partition', async () => {
    const response = await client.request(apis[61], 0, { topics: [{ name: 'nosuch', partitionIndexes: [0] }] });
    const errorMessage = 'This server does not host this topic-partition.';
    expect(response).toMatchObject({ topics: [{ partitions: [{ errorCode: 3, errorMessage, activeProducers: [] }] }] });
  });
});

describe('DescribeConfigs', () => {
  test.each<[number, string, number, string]>([
    [2, 'nosuch', 3, ''],
    [2, '', 17, 'Topic name is invalid: the empty string is not allowed'],
    [4, '2', 42, 'Unexpected broker id, expected 1 or empty string, but received 2'],
    [4, 'x', 42, 'Broker id must be an integer, but it is: x'],
    [8, '', 42, 'Broker id must not be empty'],
    [8, '2', 42, 'Unexpected broker id, expected 1 but received 2'],
    [16, '', 42, 'Client metrics subscription name must not be empty'],
    [32, '', 42, 'Group name must not be empty'],
  ])('refuses %i/%j', async (resourceType, resourceName, errorCode, errorMessage) => {
    const resources = [{ resourceType, resourceName, configurationKeys: [] }];
    const response = await ask(32, { resources });
    expect(response).toMatchObject({ results: [{ errorCode, errorMessage, configs: [] }] });
  });

  it.each([0, 1, 99])('refuses a request whole for one resource of the unknown type %i', async (unknown) => {
    const resources = [4, unknown].map((type) => ({ resourceType: type, resourceName: '1', configurationKeys: [] }));
    const refused = { errorCode: 42, errorMessage: GENERIC_INVALID_REQUEST, resourceName: '1', configs: [] };
    expect(await ask(32, { resources })).toMatchObject({
      results: [
        { ...refused, resourceType: 4 },
        { ...refused, resourceType: unknown },
      ],
    });
  });

  it('tells the chosen ones with all the places they have a value from', async () => {
    await ask(44, requests[44](1));
    const resources = [{ resourceType: 2, resourceName: 'a', configurationKeys: ['retention.ms', 'nope'] }];
    expect(await ask(32, { resources, includeSynonyms: true })).toMatchObject({
      results: [
        {
          errorCode: 0,
          configs: [
            {
              name: 'retention.ms',
              value: '1000',
              configSource: 1,
              synonyms: [{ name: 'retention.ms', value: '1000', source: 1 }],
            },
          ],
        },
      ],
    });
  });
});

describe('DescribeQuorum', () => {
  it('tells of the metadata log', async () => {
    expect(await ask(55, { topics: metadataLog })).toMatchObject({
      errorCode: 0,
      topics: [{ partitions: [{ leaderId: 1, errorCode: 0, currentVoters: [{ replicaId: 1 }], observers: [] }] }],
      nodes: [{ nodeId: 1 }],
    });
  });

  it('knows nothing of others, and then nothing at all', async () => {
    const topics = [...metadataLog, { topicName: 'a', partitions: [{ partitionIndex: 0 }] }];
    const unknown = { errorCode: 3, errorMessage: 'This server does not host this topic-partition.', leaderId: 0 };
    expect(await ask(55, { topics })).toMatchObject({
      topics: [{ partitions: [unknown] }, { partitions: [unknown] }],
      nodes: [],
    });
  });
});

describe('DescribeCluster', () => {
  it('tells the brokers of the listener', async () => {
    const port = Number(broker.bootstrapServers.split(':')[1]);
    expect(await ask(60, { includeClusterAuthorizedOperations: true, includeFencedBrokers: true })).toMatchObject({
      controllerId: 1,
      brokers: [{ brokerId: 1, port, isFenced: false }],
      clusterAuthorizedOperations: 8096,
    });
  });

  test.each([
    [2, 114, 'The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER'],
    [3, 115, 'Unsupported endpoint type 3'],
  ])('does not tell endpoints of type %i', async (endpointType, errorCode, errorMessage) => {
    expect(await ask(60, { endpointType })).toMatchObject({ errorCode, errorMessage, brokers: [], clusterId: '' });
  });
});

describe('ListConfigResources', () => {
  it('lists types that there are', async () => {
    const response = await ask(74, { resourceTypes: [4, 8, 16] });
    expect(response).toMatchObject({
      configResources: [
        { resourceName: '1', resourceType: 4 },
        { resourceName: '1', resourceType: 8 },
      ],
    });
    expect(await ask(74, { resourceTypes: [3] })).toMatchObject({ errorCode: 35, configResources: [] });
  });
});

describe('topics', () => {
  it('are not made under the name of the metadata log', async () => {
    const topic = { name: '__cluster_metadata', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] };
    expect(await ask(19, { topics: [topic] })).toMatchObject({
      topics: [{ errorCode: 42, errorMessage: 'Creation of internal topic __cluster_metadata is prohibited.' }],
    });
  });

  it('are refused together when they are too many', async () => {
    const topic = (name: string) => ({ name, numPartitions: 6000, replicationFactor: 1, assignments: [], configs: [] });
    const refused = { errorCode: 44, errorMessage: 'Excessively large number of partitions per request.' };
    expect(await ask(19, { topics: [topic('x'), topic('y')] })).toMatchObject({ topics: [refused, refused] });
  });

  it('stay in the directory where they are, and move to no other', async () => {
    const dirs = [{ path: '/nosuch', topics: [{ name: 'a', partitions: [0] }] }];
    expect(await ask(34, { dirs })).toMatchObject({
      results: [{ topicName: 'a', partitions: [{ partitionIndex: 0, errorCode: 57 }] }],
    });
  });
});

it('keeps quotas, credentials and configurations in the metadata log and tells them', async () => {
  await ask(49, requests[49](1));
  expect(await ask(48, { components: [] })).toMatchObject({
    entries: [{ values: [{ key: 'producer_byte_rate', value: 1 }] }],
  });
  const upsertion = {
    name: 'u',
    mechanism: 1,
    iterations: 4096,
    salt: Buffer.from('s'),
    saltedPassword: Buffer.from('p'),
  };
  await ask(51, { deletions: [], upsertions: [upsertion] });
  expect(await ask(50, { users: null })).toMatchObject({
    results: [{ user: 'u', credentialInfos: [{ mechanism: 1, iterations: 4096 }] }],
  });
});
