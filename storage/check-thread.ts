/** What one thread of check-threads.ts does. */
import { workerData } from 'node:worker_threads';
import type { CheckOrder } from './check-threads.ts';
import { checkFile } from './checked-files.ts';
import { NodeDisk } from './node-disk.ts';
import { recoveryWindow } from './segment-recovery.ts';

const order = workerData as CheckOrder;
const disk = new NodeDisk();
const next = new Int32Array(order.next);
const checkedBytes = new Float64Array(order.checkedBytes);
for (let i = Atomics.add(next, 0, 1); i < order.paths.length; i = Atomics.add(next, 0, 1)) {
  checkedBytes[i] = checkFile(disk, order.paths[i], recoveryWindow);
}
