/**
 * Verifications of transactional producers that are under way (KIP-890): before a producer's first batch of a transaction is
 * appended, the coordinator is asked whether the partition belongs to it. What ends the transaction meanwhile ends the
 * verification, so that no batch comes into the log after its marker and hangs there.
 */

/** Stands for one verification; compared by identity. */
export class VerificationGuard {
  readonly producerId: number;

  constructor(producerId: number) {
    this.producerId = producerId;
  }
}

export interface Verification {
  readonly guard: VerificationGuard;
  readonly timestampMs: number;
  /** The producer's client goes by KIP-890's protocol. */
  readonly raisesEpoch: boolean;
  epoch: number;
  /** The lowest sequence that was to be verified in this epoch: no later one may come first. */
  lowestSequence: number;
}

/** By producer id. */
export class Verifications {
  readonly #byProducer = new Map<number, Verification>();

  get(producerId: number): Verification | undefined {
    return this.#byProducer.get(producerId);
  }

  start(producerId: number, sequence: number, epoch: number, raisesEpoch: boolean, nowMs: number): VerificationGuard {
    const under = this.#byProducer.get(producerId);
    if (under === undefined) {
      const guard = new VerificationGuard(producerId);
      this.#byProducer.set(producerId, { guard, timestampMs: nowMs, raisesEpoch, epoch, lowestSequence: sequence });
      return guard;
    }
    if (epoch > under.epoch || (epoch === under.epoch && sequence < under.lowestSequence)) {
      under.epoch = epoch;
      under.lowestSequence = sequence;
    }
    return under.guard;
  }

  /** A transactional batch of the producer is in the log: the verification has served, or is overtaken by a marker. */
  appended(producerId: number, epoch: number, isMarker: boolean): void {
    const under = this.#byProducer.get(producerId);
    if (under === undefined) return;
    // the marker has the epoch of the next transaction, which is being verified already
    const isOfNext = isMarker && under.raisesEpoch && under.epoch === epoch;
    if (!isOfNext) this.#byProducer.delete(producerId);
  }

  removeExpired(nowMs: number, expirationMs: number): void {
    for (const [id, { timestampMs }] of this.#byProducer) {
      if (nowMs - timestampMs >= expirationMs) this.#byProducer.delete(id);
    }
  }

  clear(): void {
    this.#byProducer.clear();
  }
}
