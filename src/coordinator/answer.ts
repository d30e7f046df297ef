/** Where a response is put: called once by whoever has it. */
export type Reply<T> = (response: T) => void;

/**
 * A response that comes now or later. A promise exists only where somebody waits for it, so that what is answered in the
 * same tick costs no hop.
 */
export class Answer<T> {
  private value: { readonly response: T } | null = null;
  private waiting: Reply<T> | null = null;

  /** Gives the response; a second one is ignored. */
  readonly reply: Reply<T> = (response) => {
    if (this.value !== null) return;
    this.value = { response };
    this.waiting?.(response);
  };

  take(): T | Promise<T> {
    if (this.value !== null) return this.value.response;
    return new Promise((resolve) => {
      this.waiting = resolve;
    });
  }
}
