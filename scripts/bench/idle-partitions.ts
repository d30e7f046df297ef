/**
 * What an idle partition costs in memory: its log, what its leader knows, and what the metadata has of it.
 *
 *   node --expose-gc scripts/bench/idle-partitions.ts [--topics 100] [--partitions 100]
 *
 * A broker in this process, before and after that many topics of that many partitions were created, and after a stop and a start on them; all
 * partitions answer ListOffsets before it is measured. Prints one line of JSON: bytes a partition, in use after a garbage collection.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Odradek } from '../../src/index.ts';
import { untilServing } from './topics.ts';

const { values: options } = parseArgs({
  options: { topics: { type: 'string', default: '100' }, partitions: { type: 'string', default: '100' } },
});
const partitions = Number(options.partitions);
const topics = Array.from({ length: Number(options.topics) }, (_, i) => ({ name: `idle-${i}`, partitions }));
const count = topics.length * partitions;

function usedBytes(): number {
  const collect = globalThis.gc;
  if (collect === undefined) throw new Error('run with --expose-gc');
  for (let i = 0; i < 3; i++) collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Starts a broker on `directory`, lets `fill` do something with it, and gives what is in use then. */
async function usedBy(directory: string, names: readonly string[], fill?: (broker: Odradek) => Promise<void>) {
  const broker = await Odradek.start({ dataDir: directory });
  await fill?.(broker);
  await untilServing(Number(broker.bootstrapServers.split(':').at(-1)), names, partitions);
  const used = usedBytes();
  await broker.stop();
  return used;
}

/** One at a time: the controller takes so many partitions in one request and no more. */
async function createTopics(broker: Odradek): Promise<void> {
  for (const topic of topics) await broker.createTopics([topic]);
}

const root = mkdtempSync(join(tmpdir(), 'odradek-idle-'));
const names = topics.map(({ name }) => name);
const empty = await usedBy(join(root, 'empty'), []);
const created = await usedBy(join(root, 'data'), names, createTopics);
const started = await usedBy(join(root, 'data'), names);
rmSync(root, { recursive: true });
const bytesEach = (used: number): number => Math.round((used - empty) / count);
console.log(JSON.stringify({ partitions: count, afterCreation: bytesEach(created), afterStart: bytesEach(started) }));
