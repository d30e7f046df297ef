/**
 * What Apache Kafka 4.3.1 does and odradek does not yet (docs/compatibility.md): the one place where a check may differ between the two.
 * The lists only shrink: a check fails when something in them works.
 */

/** APIs by key that odradek does not serve, with the versions that Kafka advertises. */
export const notYetServed: ReadonlyMap<number, { name: string; versions: string }> = new Map();
