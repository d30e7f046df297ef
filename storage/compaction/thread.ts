/** The thread of one compaction, as compaction-thread.ts starts it. */
import { parentPort, workerData } from 'node:worker_threads';
import { NodeDisk } from '../node-disk.ts';
import type { ThreadAnswer, ThreadOrder, ThreadStart } from './compaction-thread.ts';
import { Pacer } from './pacer.ts';
import { threadControl } from './thread-control.ts';
import { encodeError } from './thread-errors.ts';
import { CompactionWork } from './work.ts';

/** The other side hears of a thread that works this often, and then says whether to go on (ms). */
const PROGRESS_INTERVAL_MS = 50;

const { settings, memory } = workerData as ThreadStart;
const control = threadControl(memory);
const answer = (message: ThreadAnswer): void => parentPort?.postMessage(message);

let toldAtMs = 0;
function tellProgress(): void {
  const nowMs = performance.now();
  if (nowMs - toldAtMs < PROGRESS_INTERVAL_MS) return;
  toldAtMs = nowMs;
  answer({ kind: 'progress' });
}

/** The whole thread sleeps: it has nothing else to do. */
async function sleep(delayMs: number): Promise<void> {
  const untilMs = performance.now() + delayMs;
  for (let leftMs = delayMs; leftMs > 0 && !control.isStopped; leftMs = untilMs - performance.now()) {
    control.waitForStop(Math.min(leftMs, PROGRESS_INTERVAL_MS));
    tellProgress();
  }
}

const ports = { monotonicMs: () => performance.now(), yieldLoop: async () => tellProgress(), sleep };
const pacer = new Pacer(ports, () => control.maxBytesPerSecond);
const work = new CompactionWork(new NodeDisk(), settings, { mayGoOn: () => !control.isStopped }, pacer);

async function carryOut(order: ThreadOrder): Promise<void> {
  try {
    const result = order.kind === 'map' ? await work.map(order.order) : await work.clean(order.order);
    answer({ kind: 'done', result });
  } catch (error) {
    answer({ kind: 'failed', error: encodeError(error) });
  }
}

parentPort?.on('message', carryOut);
