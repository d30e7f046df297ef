/** What one thread of check-threads.ts does. */
import { workerData } from 'node:worker_threads';
import type { CheckOrder } from './check-threads.ts';
import { checkFile } from './checked-files.ts';
import { NodeDisk } from './node-disk.ts';

/** Small enough to stay in a core's cache between the read and the CRC. */
const WINDOW_BYTES = 262_144;

const order = workerData as CheckOrder;
const disk = new NodeDisk();
const window = Buffer.allocUnsafeSlow(WINDOW_BYTES);
const next = new Int32Array(order.next);
const checkedBytes = new Float64Array(order.checkedBytes);
for (let i = Atomics.add(next, 0, 1); i < order.paths.length; i = Atomics.add(next, 0, 1)) {
  checkedBytes[i] = checkFile(disk, order.paths[i], window);
}
