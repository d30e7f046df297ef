/**
 * Two calls of the operating system that Node does not have, made through koffi (docs/decisions/0004-sendfile.md). koffi is loaded with
 * the first use. Linux only; elsewhere, and where koffi is not installed, callers do without.
 */
import { createRequire } from 'node:module';

export interface Libc {
  /**
   * sendfile(2): the kernel moves bytes from a file to a socket without a copy into this process. Gives the bytes that went, or -1: the
   * socket is full, or one of the two does not allow it.
   */
  sendfile(socketDescriptor: number, descriptor: number, position: number, sizeBytes: number): number;
  /** preadv2(2) with RWF_NOWAIT: false where reading the byte at `position` would wait for the disk. */
  isCached(descriptor: number, position: number): boolean;
}

const RWF_NOWAIT = 8;

let loaded: Libc | null | undefined;

/** Null where the system or its library does not have it. */
export function libc(): Libc | null {
  if (loaded === undefined) loaded = process.platform === 'linux' ? load() : null;
  return loaded;
}

function load(): Libc | null {
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
    // what is in the process already, whichever C library it is
    const lib = koffi.load(null);
    const iovec = koffi.struct({ iov_base: 'void *', iov_len: 'size_t' });
    const oneByte = koffi.alloc(iovec, 1);
    koffi.encode(oneByte, iovec, { iov_base: koffi.alloc('uint8_t', 1), iov_len: 1 });
    const sendfile = lib.func('intptr_t sendfile(int out, int in, void *offset, size_t count)');
    const preadv2 = lib.func('intptr_t preadv2(int fd, void *iov, int count, int64_t offset, int flags)');
    const { EAGAIN } = koffi.os.errno;
    // off_t in the machine's byte order; the platforms with prebuilt binaries are little-endian
    const offset = Buffer.alloc(8);
    return {
      sendfile(socketDescriptor, descriptor, position, sizeBytes) {
        offset.writeUInt32LE(position % 2 ** 32, 0);
        offset.writeUInt32LE(Math.floor(position / 2 ** 32), 4);
        return sendfile(socketDescriptor, descriptor, offset, sizeBytes);
      },
      // file systems that cannot say are in memory themselves
      isCached: (descriptor, position) =>
        preadv2(descriptor, oneByte, 1, position, RWF_NOWAIT) >= 0 || koffi.errno() !== EAGAIN,
    };
  } catch {
    return null;
  }
}
