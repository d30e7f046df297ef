import { describe, expect, it } from 'vitest';
import { FrameSplitter } from '../../protocol/frame.ts';

function framed(size: number, fill: number): Buffer {
  const bytes = Buffer.alloc(4 + size, fill);
  bytes.writeInt32BE(size, 0);
  return bytes;
}

/** The frame as it comes in two chunks. */
function spanning(splitter: FrameSplitter, size: number, fill: number): Buffer {
  const bytes = framed(size, fill);
  splitter.push(bytes.subarray(0, 1000));
  expect(splitter.next()).toBeNull();
  splitter.push(bytes.subarray(1000));
  return splitter.next() as Buffer;
}

describe('a frame that spans chunks', () => {
  it('has its buffer used again once it is given back, and only then', () => {
    const splitter = new FrameSplitter(10_000_000);
    const kept = spanning(splitter, 300_000, 1);
    const second = spanning(splitter, 300_000, 2);
    expect(second.buffer).not.toBe(kept.buffer);
    expect(kept.every((byte) => byte === 1)).toBe(true);
    splitter.recycle(second);
    const third = spanning(splitter, 200_000, 3);
    expect(third.buffer).toBe(second.buffer);
    expect(third.length).toBe(200_000);
    expect(third.every((byte) => byte === 3)).toBe(true);
    expect(kept.every((byte) => byte === 1)).toBe(true);
  });

  it('is not taken back twice, and a view of a chunk not at all', () => {
    const splitter = new FrameSplitter(10_000_000);
    const frame = spanning(splitter, 500_000, 1);
    splitter.recycle(frame);
    splitter.recycle(frame);
    const first = spanning(splitter, 500_000, 2);
    const second = spanning(splitter, 500_000, 3);
    expect(first.buffer).not.toBe(second.buffer);
    splitter.push(framed(50, 7));
    const view = splitter.next() as Buffer;
    splitter.recycle(view);
    expect(spanning(splitter, 2000, 8).buffer).not.toBe(view.buffer);
  });
});
