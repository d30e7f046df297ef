import { describe, expect, it } from 'vitest';
import {
  AbortTransactionRecord,
  BeginTransactionRecord,
  ConfigRecord,
  EndTransactionRecord,
  RemoveTopicRecord,
  TopicRecord,
} from '../../protocol/metadata/index.ts';
import { type LoadedImage, MetadataLoader } from '../../src/controller/loader.ts';
import { encodeRecord, type MetadataRecord, record } from '../../src/controller/records.ts';
import { UnreadableMetadata } from '../../src/raft/unreadable-metadata.ts';

const begin = record(BeginTransactionRecord, { name: 't' });
const end = record(EndTransactionRecord, {});
const abort = record(AbortTransactionRecord, {});
const idOf = (name: string) => Buffer.alloc(16, name).toString('base64url');
const topic = (name: string) => record(TopicRecord, { name, topicId: idOf(name) });

/** Batches of records, one after the other; an empty one is a control batch. */
function loaded(...batches: MetadataRecord[][]): LoadedImage {
  const loader = new MetadataLoader();
  let baseOffset = 0;
  for (const records of batches) {
    const lastOffset = baseOffset + Math.max(records.length, 1) - 1;
    loader.batch({ baseOffset, lastOffset, leaderEpoch: 1, timestampMs: 5, sizeBytes: 100 }, records.map(encodeRecord));
    baseOffset = lastOffset + 1;
  }
  return loader.finish();
}

const topics = ({ image }: LoadedImage) => [...image.topics()].map(({ name }) => name);

describe('the records of a transaction', () => {
  it.each<[string, MetadataRecord[][], string[]]>([
    ['count when it has ended', [[topic('a'), begin], [topic('b')], [end], [topic('c')]], ['a', 'b', 'c']],
    ['never were when it was aborted', [[topic('a'), begin], [topic('b')], [abort], [topic('c')]], ['a', 'c']],
    ['and those before it count, in one batch', [[topic('a'), begin, topic('b'), abort, topic('c')]], ['a', 'c']],
    ['of two transactions count each by its own end', [[begin, topic('a'), end, begin, topic('b'), abort]], ['a']],
  ])('%s', (_when, batches, expected) => {
    const result = loaded(...batches);
    expect([topics(result), result.isInTransaction]).toEqual([expected, false]);
  });

  it('do not count while it is open, but their offsets do', () => {
    const result = loaded([topic('a')], [begin, topic('b')], []);
    expect([topics(result), result.isInTransaction]).toEqual([['a'], true]);
    expect(result.image.fields).toMatchObject({ offset: 3, leaderEpoch: 1, timestampMs: 5 });
  });

  it.each([
    ['one that begins within another', [begin, begin]],
    ['an end without a beginning', [end]],
    ['an abort without a beginning', [abort]],
  ])('are not understood: %s', (_what, records) => {
    expect(() => loaded(records)).toThrow(UnreadableMetadata);
  });
});

describe('what the log holds', () => {
  it('is a snapshot and what follows it', () => {
    const loader = new MetadataLoader();
    loader.snapshot({ endOffset: 40, leaderEpoch: 2 }, 4, [encodeRecord(topic('a'))]);
    expect(loader.finish().image.fields).toMatchObject({ offset: 39, leaderEpoch: 2, timestampMs: 4 });
    const batch = { baseOffset: 40, lastOffset: 40, leaderEpoch: 3, timestampMs: 5, sizeBytes: 100 };
    loader.batch(batch, [encodeRecord(topic('b'))]);
    expect(topics(loader.finish())).toEqual(['a', 'b']);
  });

  it('has nothing left of a topic that came and went, its configuration neither', () => {
    const config = record(ConfigRecord, { resourceType: 2, resourceName: 'a', name: 'retention.ms', value: '1' });
    const { image } = loaded([topic('a'), config], [record(RemoveTopicRecord, { topicId: idOf('a') })]);
    expect([image.topicCount, image.configs(2, 'a').size]).toEqual([0, 0]);
  });

  it('that is not understood is named', () => {
    const loader = new MetadataLoader();
    const unknown = Buffer.from([1, 99, 0]);
    expect(() => loader.snapshot({ endOffset: 40, leaderEpoch: 2 }, 4, [unknown])).toThrow(
      'The metadata log has record 0 of the snapshot 00000000000000000040-0000000002.checkpoint that is not understood',
    );
    const batch = { baseOffset: 40, lastOffset: 40, leaderEpoch: 3, timestampMs: 5, sizeBytes: 100 };
    expect(() => loader.batch(batch, [unknown])).toThrow(/a record at or behind offset 40 .* metadata record type 99/);
  });
});
