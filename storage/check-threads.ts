/** Checks files in threads of their own: CRCs and the waits for the disk take most of a recovery after a power cut. */
import { Worker } from 'node:worker_threads';
import type { CheckedFiles } from './checked-files.ts';
import { threadFile } from './thread-file.ts';

/** What a thread is handed: files are taken by counting `next` up, and results are left at their places. */
export interface CheckOrder {
  readonly paths: readonly string[];
  /** One Int32: the first file that nobody has taken. */
  readonly next: SharedArrayBuffer;
  /** A Float64 for each file: its size in bytes where it is valid, otherwise -1 or, where nobody came to it, 0. */
  readonly checkedBytes: SharedArrayBuffer;
}

/** Checks files from the disk of the machine in up to `threads` threads. Rejects when a thread fails. */
export async function checkInThreads(paths: readonly string[], threads: number): Promise<CheckedFiles> {
  const order: CheckOrder = {
    paths,
    next: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT),
    checkedBytes: new SharedArrayBuffer(paths.length * Float64Array.BYTES_PER_ELEMENT),
  };
  const count = Math.min(threads, paths.length);
  await Promise.all(
    Array.from({ length: count }, () => untilDone(new Worker(threadFile('check-thread'), { workerData: order }))),
  );
  const checkedBytes = new Float64Array(order.checkedBytes);
  return new Map(paths.map((path, i) => [path, checkedBytes[i]] as const).filter(([, bytes]) => bytes > 0));
}

function untilDone(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.on('error', reject);
    worker.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a thread ended with code ${code}`))));
  });
}
