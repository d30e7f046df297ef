/**
 * Reads of all connections go into one buffer (docs/decisions/0003-shared-reads.md). Node allocates 64 KiB for every read of a
 * socket; at hundreds of megabytes a second that is most of what its garbage collector does. net.Socket can read into a buffer
 * of ours (`onread`), but a server's sockets are made without it: so the accepted socket's handle is given to a new one.
 */
import { Socket } from 'node:net';

/** What one system call may bring. */
const SHARED_BYTES = 128 * 1024;
const shared = Buffer.allocUnsafeSlow(SHARED_BYTES);

/** The parts of an accepted socket that hold it to its server; they have no public name. */
interface Accepted {
  _handle: object | null;
  _server: object | null;
  server: object | null;
}

/** The chunk is overwritten by the next read of any connection: what is kept has to be copied before `onChunk` returns. */
export type OnChunk = (chunk: Buffer) => void;

/** The connection of an accepted, paused socket, which is not to be used any more. */
export function withSharedReads(accepted: Socket, onChunk: OnChunk): Socket {
  const from = accepted as unknown as Accepted;
  const handle = from._handle;
  if (handle === null || handle === undefined) {
    // closed before it was taken over
    accepted.destroy();
    return accepted;
  }
  from._handle = null;
  const callback = (sizeBytes: number) => {
    onChunk(shared.subarray(0, sizeBytes));
    return true;
  };
  const options = { handle, onread: { buffer: shared, callback } };
  const socket = new Socket(options as ConstructorParameters<typeof Socket>[0]);
  const to = socket as unknown as Accepted;
  // the server counts its open sockets by these, and its close waits for them
  to._server = from._server;
  to.server = from.server;
  from._server = null;
  return socket;
}
