/** A block of producer ids as the controller hands them out (KIP-730). */
export interface ProducerIdBlock {
  readonly firstProducerId: number;
  readonly size: number;
}

/** Hands out producer ids from blocks that the controller allocates; none is ever given twice. */
export class ProducerIds {
  private readonly allocate: () => Promise<ProducerIdBlock>;
  private next_ = 0;
  private end = 0;
  private refill: Promise<void> | null = null;

  constructor(allocate: () => Promise<ProducerIdBlock>) {
    this.allocate = allocate;
  }

  async next(): Promise<number> {
    while (this.next_ >= this.end) {
      this.refill ??= this.takeBlock();
      await this.refill;
    }
    return this.next_++;
  }

  private async takeBlock(): Promise<void> {
    try {
      const block = await this.allocate();
      this.next_ = block.firstProducerId;
      this.end = block.firstProducerId + block.size;
    } finally {
      this.refill = null;
    }
  }
}
