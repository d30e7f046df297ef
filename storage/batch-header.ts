/**
 * Of the fixed part of a record batch (layout: protocol/records/batch.ts) what a scan over many batches looks at in each. V8 reads a DataView with
 * one instruction where Buffer's methods take the number together byte by byte: with small batches these reads are most of a scan.
 */
import { LOG_OVERHEAD_BYTES } from '../protocol/records/batch.ts';

export const viewOf = (buf: Buffer): DataView => new DataView(buf.buffer, buf.byteOffset, buf.byteLength);

export const baseOffsetIn = (view: DataView, at: number): number =>
  view.getInt32(at) * 0x1_0000_0000 + view.getUint32(at + 4);
export const sizeBytesIn = (view: DataView, at: number): number => view.getInt32(at + 8) + LOG_OVERHEAD_BYTES;
export const leaderEpochIn = (view: DataView, at: number): number => view.getInt32(at + 12);
export const magicIn = (view: DataView, at: number): number => view.getInt8(at + 16);
export const crcIn = (view: DataView, at: number): number => view.getUint32(at + 17);
export const lastOffsetDeltaIn = (view: DataView, at: number): number => view.getInt32(at + 23);
