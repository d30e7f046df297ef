/** A promise of storage that was broken; `invariant` is its name. */
export class InvariantViolation extends Error {
  readonly invariant: string;

  constructor(invariant: string, detail: string) {
    super(`${invariant}: ${detail}`);
    this.name = 'InvariantViolation';
    this.invariant = invariant;
  }
}

export function ensure(invariant: string, holds: boolean, detail: () => string): asserts holds {
  if (!holds) throw new InvariantViolation(invariant, detail());
}
