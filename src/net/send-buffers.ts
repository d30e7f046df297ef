/**
 * Buffers through which bytes go from files to sockets. One is in use while the socket takes what it holds, which for a client that
 * keeps up is within the call; so all connections share one buffer, warm in the processor's cache, and each slow client holds one.
 */

/** Large enough that system calls cost little, small enough for the cache. */
const SIZE_BYTES = 128 * 1024;
const MAX_SPARES = 4;
const spares: Buffer[] = [];

export function takeSendBuffer(): Buffer {
  return spares.pop() ?? Buffer.allocUnsafeSlow(SIZE_BYTES);
}

export function giveBackSendBuffer(buffer: Buffer): void {
  if (spares.length < MAX_SPARES) spares.push(buffer);
}
