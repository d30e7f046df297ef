/**
 * A compaction's worker in a thread of its own, on the disk of the machine: however long a log is, nobody who talks to the broker
 * waits for it (docs/decisions/0014).
 */
import { Worker } from 'node:worker_threads';
import { threadFile } from '../thread-file.ts';
import { threadControl } from './thread-control.ts';
import { decodeError, type EncodedError } from './thread-errors.ts';
import type {
  CompactionWorker,
  GroupOrder,
  GroupResult,
  MapOrder,
  MapState,
  StartWorker,
  WorkControl,
  WorkSettings,
} from './worker.ts';

/** What a thread begins with; `memory` is that of a ThreadControl. */
export interface ThreadStart {
  readonly settings: WorkSettings;
  readonly memory: SharedArrayBuffer;
}

export type ThreadOrder =
  | { readonly kind: 'map'; readonly order: MapOrder }
  | { readonly kind: 'clean'; readonly order: GroupOrder };

/** `progress` comes now and then while an order is carried out, and asks for an update of the control. */
export type ThreadAnswer =
  | { readonly kind: 'progress' }
  | { readonly kind: 'done'; readonly result: MapState | GroupResult }
  | { readonly kind: 'failed'; readonly error: EncodedError };

interface Waiting {
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** Threads work on the disk of the machine, whatever disk the caller has. */
export const startCompactionThread: StartWorker = (settings, control) => new CompactionThread(settings, control);

class CompactionThread implements CompactionWorker {
  readonly #worker: Worker;
  readonly #control: WorkControl;
  readonly #shared = threadControl();
  /** For the answer to the order that is being carried out. */
  #waiting: Waiting | null = null;
  /** Why the thread is gone. */
  #failure: unknown = null;

  constructor(settings: WorkSettings, control: WorkControl) {
    this.#control = control;
    this.#shared.maxBytesPerSecond = control.maxBytesPerSecond();
    const start: ThreadStart = { settings, memory: this.#shared.memory };
    this.#worker = new Worker(threadFile('compaction/thread'), { workerData: start });
    this.#worker.on('message', (answer: ThreadAnswer) => this.#take(answer));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', (code) => this.#fail(new Error(`the thread of a compaction ended with code ${code}`)));
  }

  map(order: MapOrder): Promise<MapState> {
    return this.#send({ kind: 'map', order });
  }

  clean(order: GroupOrder): Promise<GroupResult> {
    return this.#send({ kind: 'clean', order });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #send<Result>(order: ThreadOrder): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      if (this.#failure !== null) return reject(this.#failure);
      this.#waiting = { resolve: resolve as Waiting['resolve'], reject };
      this.#worker.postMessage(order);
    });
  }

  #take(answer: ThreadAnswer): void {
    if (answer.kind === 'done') this.#takeWaiting()?.resolve(answer.result);
    else if (answer.kind === 'failed') this.#takeWaiting()?.reject(decodeError(answer.error));
    else this.#updateControl();
  }

  #updateControl(): void {
    // An answer may be on its way that this progress came before.
    if (this.#waiting === null) return;
    this.#shared.maxBytesPerSecond = this.#control.maxBytesPerSecond();
    if (!this.#control.mayGoOn()) this.#shared.stop();
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#takeWaiting()?.reject(this.#failure);
  }

  #takeWaiting(): Waiting | null {
    const waiting = this.#waiting;
    this.#waiting = null;
    return waiting;
  }
}
