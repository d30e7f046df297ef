/** Bytes of a message that are fetched when they are sent: a large response then needs no memory of its size. */
export interface DeferredBytes {
  /** In bytes; what `copyTo` can give. */
  readonly length: number;
  /** Fills `target` with the bytes from `from` on. Throws when they are not there any longer. */
  copyTo(target: Buffer, from: number): void;
  /**
   * Has the system move up to `sizeBytes` bytes from byte `from` on to a socket, given by its descriptor. Gives how many went, 0 where the
   * socket is full, null where only `copyTo` will do.
   */
  moveTo(socketDescriptor: number, from: number, sizeBytes: number): number | null;
  /**
   * Gets `sizeBytes` from byte `from` on off the disk, in the background, so that having them does not hold up anything else. Null where
   * they are at hand, or where nobody can tell.
   */
  load(from: number, sizeBytes: number): Promise<void> | null;
}

/** A part of a written message; parts are sent in order. */
export type Piece = Buffer | DeferredBytes;

export function isDeferred(piece: Uint8Array | DeferredBytes): piece is DeferredBytes {
  return !(piece instanceof Uint8Array);
}

/** The bytes of `piece`, fetched now where they were deferred. */
export function bytesOf(piece: Piece): Buffer {
  if (!isDeferred(piece)) return piece;
  const bytes = Buffer.allocUnsafe(piece.length);
  piece.copyTo(bytes, 0);
  return bytes;
}
