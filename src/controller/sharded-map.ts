/**
 * An immutable map from strings whose changed copy costs a few dozen entries instead of all of them: the entries are
 * spread over shards, and a change copies the shards it touches. Iteration is in no particular order.
 */
const ENTRIES_PER_SHARD = 32;

/** FNV-1a over UTF-16 units: cheap, and spreads names that differ only in a digit. */
function hash(key: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) h = Math.imul(h ^ key.charCodeAt(i), 0x01000193);
  return (h ^ (h >>> 15)) >>> 0;
}

export class ShardedMap<V> implements Iterable<[string, V]> {
  readonly size: number;
  /** A power of two of them. */
  private readonly shards: readonly ReadonlyMap<string, V>[];

  private constructor(shards: readonly ReadonlyMap<string, V>[], size: number) {
    this.shards = shards;
    this.size = size;
  }

  static empty<V>(): ShardedMap<V> {
    return new ShardedMap<V>([new Map()], 0);
  }

  get(key: string): V | undefined {
    return this.shards[shardOf(key, this.shards.length)].get(key);
  }

  has(key: string): boolean {
    return this.shards[shardOf(key, this.shards.length)].has(key);
  }

  *keys(): IterableIterator<string> {
    for (const shard of this.shards) yield* shard.keys();
  }

  *values(): IterableIterator<V> {
    for (const shard of this.shards) yield* shard.values();
  }

  *[Symbol.iterator](): IterableIterator<[string, V]> {
    for (const shard of this.shards) yield* shard;
  }

  /** The map with `changes` applied; undefined deletes the key. The receiver stays as it is. */
  with(changes: ReadonlyMap<string, V | undefined>): ShardedMap<V> {
    if (changes.size === 0) return this;
    const shards = this.shards.slice();
    const copied = new Set<number>();
    let size = this.size;
    for (const [key, value] of changes) {
      const at = shardOf(key, shards.length);
      if (!copied.has(at)) {
        shards[at] = new Map(shards[at]);
        copied.add(at);
      }
      const shard = shards[at] as Map<string, V>;
      const before = shard.size;
      if (value === undefined) shard.delete(key);
      else shard.set(key, value);
      size += shard.size - before;
    }
    return size > shards.length * ENTRIES_PER_SHARD ? ShardedMap.spread(shards, size) : new ShardedMap(shards, size);
  }

  /** Into as many shards as leave room to double before the next time. */
  private static spread<V>(from: readonly ReadonlyMap<string, V>[], size: number): ShardedMap<V> {
    let count = from.length;
    while (size * 2 > count * ENTRIES_PER_SHARD) count *= 2;
    const shards = Array.from({ length: count }, () => new Map<string, V>());
    for (const shard of from) for (const [key, value] of shard) shards[shardOf(key, count)].set(key, value);
    return new ShardedMap<V>(shards, size);
  }
}

/** One shard needs no hash: most clusters have few topics. */
function shardOf(key: string, count: number): number {
  return count === 1 ? 0 : hash(key) & (count - 1);
}
