/**
 * All records of `__consumer_offsets`. What each family consists of stands with it; `type` tells them apart. A null value
 * deletes.
 */
import { Reader } from '../../protocol/reader.ts';
import type { CoordinatorRecord } from '../coordinator/log.ts';
import { CLASSIC_KIND, type ClassicRecord, decodeClassic, encodeClassic } from './classic/records.ts';
import { CONSUMER_KINDS, type ConsumerRecord, decodeConsumer, encodeConsumer } from './consumer/records.ts';
import { decodeOffset, encodeOffset, OFFSET_KINDS, type OffsetRecord } from './offsets/records.ts';
import { decodeShare, encodeShare, SHARE_KINDS, type ShareRecord } from './share/records.ts';
import { decodeStreams, encodeStreams, STREAMS_KINDS, type StreamsRecord } from './streams/records.ts';

export type GroupRecord = OffsetRecord | ClassicRecord | ConsumerRecord | ShareRecord | StreamsRecord;

export function encodeRecord(record: GroupRecord): CoordinatorRecord {
  switch (record.type) {
    case 'offset':
      return encodeOffset(record);
    case 'classic':
      return encodeClassic(record);
    case 'consumer':
      return encodeConsumer(record);
    case 'streams':
      return encodeStreams(record);
    case 'share':
      return encodeShare(record);
  }
}

/** Reads a record back; null for one of a kind that is not served. Byte fields are views of `value`. Throws MalformedError. */
export function decodeRecord(key: Buffer, value: Buffer | null): GroupRecord | null {
  const reader = new Reader(key);
  const kind = reader.int16();
  if (OFFSET_KINDS.includes(kind)) return decodeOffset(reader, value);
  if (kind === CLASSIC_KIND) return decodeClassic(reader, value);
  if (CONSUMER_KINDS.includes(kind)) return decodeConsumer(kind, reader, value);
  if (STREAMS_KINDS.includes(kind)) return decodeStreams(kind, reader, value);
  if (SHARE_KINDS.includes(kind)) return decodeShare(kind, reader, value);
  return null;
}
