/** Bytes of a message that are fetched when they are sent: a large response then needs no memory of its size. */
export interface DeferredBytes {
  /** In bytes; what `copyTo` can give. */
  readonly length: number;
  /** Fills `target` with the bytes from `from` on. Throws when they are not there any longer. */
  copyTo(target: Buffer, from: number): void;
  /**
   * Where byte `from` stands in an open file, for a system that moves bytes from files to sockets by itself; good for use at once. Null where
   * only `copyTo` will do.
   */
  inFile(from: number): { descriptor: number; position: number } | null;
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
