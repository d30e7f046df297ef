/**
 * sendfile(2): the kernel moves bytes from a file to a socket without a copy into this process (docs/decisions/0004-sendfile.md). Node has
 * no call for it, so it is called through koffi, which is loaded with the first large response. Linux only; elsewhere, and where koffi
 * cannot be loaded, responses go through a buffer.
 */
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';

/** Gives the bytes that went from the file to the socket, or -1: the socket is full, or one of the two does not allow it. */
export type SendFile = (socketDescriptor: number, descriptor: number, position: number, sizeBytes: number) => number;

type Sendfile2 = (out: number, from: number, offset: Buffer, count: number) => number;

let loaded: SendFile | null | undefined;

/** Null where the system or its library does not have it. */
export function sendFile(): SendFile | null {
  if (loaded === undefined) loaded = process.platform === 'linux' ? load() : null;
  return loaded;
}

function load(): SendFile | null {
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
    // already in the process, whichever C library it is
    const sendfile: Sendfile2 = koffi.load(null).func('intptr_t sendfile(int out, int in, void *offset, size_t count)');
    // off_t in the machine's byte order; the platforms with prebuilt binaries are little-endian
    const offset = Buffer.alloc(8);
    return (socketDescriptor, descriptor, position, sizeBytes) => {
      offset.writeUInt32LE(position % 2 ** 32, 0);
      offset.writeUInt32LE(Math.floor(position / 2 ** 32), 4);
      return sendfile(socketDescriptor, descriptor, offset, sizeBytes);
    };
  } catch {
    return null;
  }
}

/** -1 for a socket that is closed or not the system's own (TLS). The descriptor of a socket has no public name. */
export function descriptorOf(socket: Socket): number {
  const handle = (socket as unknown as { _handle: { fd?: number } | null })._handle;
  return handle?.fd ?? -1;
}
