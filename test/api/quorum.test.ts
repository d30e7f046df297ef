import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { versionsOf } from '../../protocol/compile.ts';
import { apis } from '../../protocol/messages/index.ts';
import type { InputOf, Message } from '../../protocol/schema.ts';
import { ZERO_UUID } from '../../protocol/uuid.ts';
import { Odradek } from '../../src/index.ts';
import { WireClient } from '../support/wire-client.ts';

const DIRECTORY_ID = 'L64uJ7GGjJQoJZ-BUlDDQA';
const VOTERS = '1@127.0.0.1:9093';
const LISTENERS = 'PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:9093';
const QUORUM = 55;
const FEATURES = 57;
const VERSIONS = 18;
const ADD = 80;
const REMOVE = 81;

interface Voter {
  readonly replicaId: number;
  readonly replicaDirectoryId: string;
}

class Cluster {
  readonly broker: Odradek;
  private readonly client: WireClient;

  private constructor(broker: Odradek, client: WireClient) {
    this.broker = broker;
    this.client = client;
  }

  static async start(config: Record<string, string>): Promise<Cluster> {
    const broker = await Odradek.start({ inMemory: true, config });
    return new Cluster(broker, await WireClient.connect(broker.bootstrapServers));
  }

  async stop(): Promise<void> {
    await this.client.close();
    await this.broker.stop();
  }

  async ask<R = Record<string, unknown>>(key: keyof typeof apis, body: object): Promise<R> {
    const api = apis[key] as { request: Message; response: Message };
    const version = versionsOf(api.request)[1];
    return (await this.client.request(api, version, body as InputOf<Message>)) as R;
  }

  async quorum(): Promise<{ voters: Voter[]; nodes: unknown }> {
    const topics = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }];
    const response = await this.ask<{ topics: { partitions: { currentVoters: Voter[] }[] }[]; nodes: unknown }>(
      QUORUM,
      { topics },
    );
    return { voters: response.topics[0].partitions[0].currentVoters, nodes: response.nodes };
  }

  /** Of kraft.version: what ApiVersions says is in force, 0 where it says nothing. */
  async kraftVersion(): Promise<number> {
    const software = { clientSoftwareName: 'test', clientSoftwareVersion: '1' };
    const { finalizedFeatures } = await this.ask<{ finalizedFeatures: { name: string; maxVersionLevel: number }[] }>(
      VERSIONS,
      software,
    );
    return finalizedFeatures.find(({ name }) => name === 'kraft.version')?.maxVersionLevel ?? 0;
  }

  update(maxVersionLevel: number, upgradeType = 1): Promise<Record<string, unknown>> {
    const featureUpdates = [{ feature: 'kraft.version', maxVersionLevel, upgradeType }];
    return this.ask(FEATURES, { featureUpdates, timeoutMs: 0, validateOnly: false });
  }
}

const named = (id: number, directoryId: string) => `ReplicaKey(id=${id}, directoryId=${directoryId})`;
const added = (voterId: number, voterDirectoryId: string) => ({
  clusterId: null,
  timeoutMs: 0,
  voterId,
  voterDirectoryId,
  listeners: [{ name: 'CONTROLLER', host: 'localhost', port: 9094 }],
});

describe('a quorum whose voters the configuration names', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start({ 'controller.quorum.voters': VOTERS, listeners: LISTENERS });
  });
  afterAll(() => cluster.stop());

  it('knows no directories, and takes and loses no voters', async () => {
    expect(await cluster.quorum()).toMatchObject({ voters: [{ replicaId: 1, replicaDirectoryId: ZERO_UUID }] });
    expect(await cluster.kraftVersion()).toBe(0);
    const refusal = (verb: string) => ({
      errorCode: 35,
      errorMessage: `Cluster doesn't support ${verb} voter because the kraft.version feature is 0`,
    });
    expect(await cluster.ask(ADD, added(2, DIRECTORY_ID))).toMatchObject(refusal('adding'));
    const removed = { clusterId: null, voterId: 1, voterDirectoryId: DIRECTORY_ID };
    expect(await cluster.ask(REMOVE, removed)).toMatchObject(refusal('removing'));
  });

  it('has them in its log after an upgrade, from which there is no way back', async () => {
    expect(await cluster.update(1)).toMatchObject({ errorCode: 0 });
    expect(await cluster.kraftVersion()).toBe(1);
    const { voters, nodes } = await cluster.quorum();
    expect(voters).toMatchObject([{ replicaId: 1, replicaDirectoryId: expect.not.stringMatching(ZERO_UUID) }]);
    expect(nodes).toEqual([{ nodeId: 1, listeners: [{ name: 'CONTROLLER', host: '127.0.0.1', port: 9093 }] }]);
    expect(await cluster.update(1)).toMatchObject({ errorCode: 0 });
    const errorMessage = expect.stringContaining("kraft.version. Can't downgrade the version of this feature.");
    expect(await cluster.update(0, 2)).toMatchObject({ errorCode: 95, errorMessage });
  });
});

describe('a quorum whose voters its log names', () => {
  let cluster: Cluster;
  let directoryId: string;
  beforeAll(async () => {
    cluster = await Cluster.start({});
    directoryId = (await cluster.quorum()).voters[0].replicaDirectoryId;
  });
  afterAll(() => cluster.stop());

  it('is what a new cluster has', async () => {
    expect(await cluster.kraftVersion()).toBe(1);
    expect(directoryId).not.toBe(ZERO_UUID);
  });

  test.each([1, 2])('does not lose its last voter, called %i', async (voterId) => {
    const given = voterId === 1 ? directoryId : DIRECTORY_ID;
    const set = `[${named(1, directoryId)}]`;
    expect(await cluster.ask(REMOVE, { clusterId: null, voterId, voterDirectoryId: given })).toMatchObject({
      errorCode: 127,
      errorMessage: `Cannot remove voter ${named(voterId, given)} from the set of voters ${set}`,
    });
  });

  it('does not take the same voter twice, nor another one', async () => {
    expect(await cluster.ask(ADD, added(1, DIRECTORY_ID))).toMatchObject({
      errorCode: 126,
      errorMessage: `The voter id for ${named(1, DIRECTORY_ID)} is already part of the set of voters [${named(1, directoryId)}].`,
    });
    expect(await cluster.ask(ADD, added(2, DIRECTORY_ID))).toMatchObject({
      errorCode: 7,
      errorMessage: `Aborted add voter operation for ${named(2, DIRECTORY_ID)} since it is lagging behind`,
    });
  });
});
