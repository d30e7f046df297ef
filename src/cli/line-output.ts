import type { Writable } from 'node:stream';

/** Lines to a stream, no faster than its reader takes them. */
export class LineOutput {
  private readonly output: Writable;
  private closed = false;
  private goOn = () => {};

  constructor(output: Writable) {
    this.output = output;
    output.on('drain', () => this.goOn());
    // a reader such as `head` that has seen enough is no failure
    output.on('error', () => {
      this.closed = true;
      this.goOn();
    });
  }

  /** True when nobody reads any more. */
  isClosed(): boolean {
    return this.closed;
  }

  async write(line: string): Promise<void> {
    const room = new Promise<void>((resolve) => {
      this.goOn = resolve;
    });
    if (!this.output.write(`${line}\n`)) await room;
  }
}
