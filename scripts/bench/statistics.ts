/** The value below or at which `percent` of the ascending samples lie (nearest rank); NaN without samples. */
export function percentile(ascending: ArrayLike<number>, percent: number): number {
  if (ascending.length === 0) return Number.NaN;
  // The product can miss a whole number by a hair, so ceil gets a little less than it.
  const rank = Math.ceil((percent * ascending.length) / 100 - 1e-9);
  return ascending[Math.max(0, rank - 1)];
}

export interface Summary {
  median: number;
  min: number;
  max: number;
}

/** Median (mean of the middle two for an even count), least and greatest; undefined without values. */
export function summary(values: readonly number[]): Summary | undefined {
  if (values.length === 0) return undefined;
  const ascending = [...values].sort((a, b) => a - b);
  const middle = ascending.length >> 1;
  const median = ascending.length % 2 === 1 ? ascending[middle] : (ascending[middle - 1] + ascending[middle]) / 2;
  return { median, min: ascending[0], max: ascending[ascending.length - 1] };
}
