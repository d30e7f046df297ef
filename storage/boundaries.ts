/** Where the last few appends began: who reads at the end of a log finds the place without an index. */

const SLOTS = 16;

export class Boundaries {
  #offsets: number[] = [];
  #positions: number[] = [];
  #next = 0;

  note(offset: number, position: number): void {
    this.#offsets[this.#next] = offset;
    this.#positions[this.#next] = position;
    this.#next = (this.#next + 1) % SLOTS;
  }

  /** The position of the batch that begins with `offset`; -1 when it is not one of the last few. */
  find(offset: number): number {
    const at = this.#offsets.indexOf(offset);
    return at < 0 ? -1 : this.#positions[at];
  }

  clear(): void {
    this.#offsets = [];
    this.#positions = [];
    this.#next = 0;
  }
}
