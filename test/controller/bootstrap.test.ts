import { describe, expect, it } from 'vitest';
import { ConfigRecord, FeatureLevelRecord, UserScramCredentialRecord } from '../../protocol/metadata/index.ts';
import { activationRecords, firstRecords, formatted, newestFeatureLevels } from '../../src/controller/bootstrap.ts';
import { MetadataImage } from '../../src/controller/image.ts';
import { decodeRecord, encodeRecord, type MetadataRecord, record } from '../../src/controller/records.ts';
import { encodeSnapshot } from '../../src/raft/snapshot-file.ts';
import { MemoryDisk } from '../../storage/index.ts';
import { World } from './world.ts';

const feature = (name: string, featureLevel: number) => record(FeatureLevelRecord, { name, featureLevel });
const minIsr = (value: string) =>
  record(ConfigRecord, { resourceType: 4, resourceName: '', name: 'min.insync.replicas', value });
const types = (records: readonly MetadataRecord[]) => records.map(({ message }) => message.name.replace('Record', ''));
/** What a reader of the log sees. */
const read = (records: readonly MetadataRecord[]) => records.map((r) => decodeRecord(encodeRecord(r)));

describe('the first records of a cluster', () => {
  it('are what it was formatted with, and the limit of in-sync replicas, in a transaction', () => {
    const records = firstRecords(newestFeatureLevels(), 2);
    const levels = newestFeatureLevels().map(() => 'FeatureLevel');
    expect(types(records)).toEqual(['BeginTransaction', ...levels, 'Config', 'EndTransaction']);
    expect(read(records)).toContainEqual(read([minIsr('2')])[0]);
  });

  it('name no limit without eligible leader replicas, nor twice', () => {
    expect(types(firstRecords([feature('metadata.version', 30)], 2))).not.toContain('Config');
    const levels = [feature('metadata.version', 30), feature('eligible.leader.replicas.version', 1), minIsr('3')];
    expect(firstRecords(levels, 2)).toEqual([expect.anything(), ...levels, expect.anything()]);
  });

  it('stand by themselves where metadata.version does not know transactions', () => {
    expect(types(firstRecords([feature('metadata.version', 12)], 2))).toEqual(['FeatureLevel']);
    expect(types(firstRecords([feature('metadata.version', 13)], 2))).toHaveLength(3);
  });
});

describe('bootstrap.checkpoint', () => {
  const PATH = '/data/bootstrap.checkpoint';
  function disk(): MemoryDisk {
    const made = new MemoryDisk();
    made.makeDir('/data');
    return made;
  }

  it('is written with the newest levels where there is none, and says the same the next time', () => {
    const on = disk();
    const records = formatted(on, '/data', 5);
    expect(records).toEqual(newestFeatureLevels());
    expect(on.exists(PATH)).toBe(true);
    expect(formatted(on, '/data', 6)).toEqual(records);
  });

  it('is what the cluster begins with, whoever has written it', () => {
    const on = disk();
    const salt = Buffer.from('s');
    const credential = { name: 'u', mechanism: 1, salt, storedKey: salt, serverKey: salt, iterations: 4096 };
    const records = [feature('metadata.version', 20), record(UserScramCredentialRecord, credential)];
    const options = { lastContainedLogTimestampMs: 0, leaderEpoch: 0, nowMs: 0, quorum: null };
    const batches = [...encodeSnapshot(records.map(encodeRecord), options)].filter((b) => b !== null);
    on.writeFile(PATH, Buffer.concat(batches));
    expect(formatted(on, '/data', 5)).toEqual(records);
  });

  it('that is damaged ends the start in words', () => {
    const on = disk();
    on.writeFile(PATH, 'x');
    expect(() => formatted(on, '/data', 5)).toThrow(`${PATH} is damaged: it is cut off.`);
  });
});

describe('a controller that begins to lead', () => {
  const begin = () => [feature('metadata.version', 30)];
  const activated = (image: MetadataImage, isInTransaction: boolean) =>
    types(activationRecords({ image, isInTransaction }, begin, 1));
  const first = ['BeginTransaction', 'FeatureLevel', 'EndTransaction'];

  it.each([
    ['an empty log', MetadataImage.EMPTY, false, first],
    ['one that is empty but for a transaction', MetadataImage.EMPTY, true, ['AbortTransaction', ...first]],
    ['the log of a cluster', new World().image, false, []],
    ['one that ends within a transaction', new World().image, true, ['AbortTransaction']],
  ])('over %s', (_what, image, isInTransaction, expected) => {
    expect(activated(image, isInTransaction)).toEqual(expected);
  });
});
