/**
 * The raw reader: a first pass reads the whole topic once and checks what came (offsets without gaps, CRC of each batch, number
 * of records); then it reads round and round for --seconds, counting records from the batch headers only.
 *
 *   node scripts/bench/consume.ts --port 9092 [--topic t] [--partitions 6] [--connections 3] [--seconds 5]
 *     [--partition-max-bytes 1048576] [--max-bytes 52428800] [--expect RECORDS] [--pid BROKER]
 *
 * Each connection has its share of the partitions and one fetch at a time, as real consumers do. Prints one line of JSON
 * (ConsumeResult).
 */
import { parseArgs } from 'node:util';
import { crcMatches } from './batch.ts';
import { Caller, Connection } from './connection.ts';
import { cpuSeconds } from './proc.ts';
import { eachBatch, fetchRequest, metadataRequest, readFetch, readMetadata } from './wire.ts';

export interface ConsumeResult {
  records: number;
  seconds: number;
  /** Records a second. */
  rate: number;
  /** CPU time of the broker during the measured window; absent without --pid. */
  brokerCpuSeconds?: number;
  /** Share of one core that this process used. */
  readerCpuShare: number;
}

const STALLED_AFTER_MS = 15_000;

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '9092' },
    topic: { type: 'string', default: 'bench-replay' },
    connections: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    'partition-max-bytes': { type: 'string', default: '1048576' },
    'max-bytes': { type: 'string', default: '52428800' },
    expect: { type: 'string' },
    pid: { type: 'string' },
  },
});
const port = Number(options.port);
const pid = options.pid === undefined ? undefined : Number(options.pid);
const shape = {
  maxWaitMs: 500,
  minBytes: 1,
  maxBytes: Number(options['max-bytes']),
  partitionMaxBytes: Number(options['partition-max-bytes']),
};

interface Position {
  partition: number;
  offset: number;
  /** Where the first pass found the end; unknown (-1) before. */
  end: number;
}

let recordsRead = 0;
let checking = true;
const failed = Promise.withResolvers<never>();

function advance(position: Position, records: Buffer, highWatermark: number): void {
  eachBatch(records, (batch) => {
    if (batch.nextOffset <= position.offset) return;
    if (checking && (batch.baseOffset !== position.offset || !crcMatches(batch.bytes))) {
      throw new Error(`partition ${position.partition}: gap or damaged batch at offset ${position.offset}`);
    }
    position.offset = batch.nextOffset;
    recordsRead += batch.records;
  });
  if (checking) position.end = highWatermark;
  else if (position.offset >= position.end) position.offset = 0;
}

/** Fetches without pause until `close`; in the first pass it stops by itself when all its partitions are read. */
class Reader {
  readonly finishedPass = Promise.withResolvers<void>();
  private readonly positions: Position[];
  private readonly connection: Connection;
  private paused = false;

  constructor(partitions: readonly number[]) {
    this.positions = partitions.map((partition) => ({ partition, offset: 0, end: -1 }));
    this.connection = new Connection(port, (payload) => this.take(payload), failed.reject);
    this.fetch();
  }

  private fetch(): void {
    const wanted = checking ? this.positions.filter(({ offset, end }) => end < 0 || offset < end) : this.positions;
    if (wanted.length === 0) {
      this.paused = true;
      this.finishedPass.resolve();
      return;
    }
    this.connection.write(fetchRequest(0, options.topic, wanted, shape));
  }

  private take(payload: Buffer): void {
    readFetch(payload, (partition, records, highWatermark) => {
      const position = this.positions.find((candidate) => candidate.partition === partition);
      if (!position) throw new Error(`answer for partition ${partition}, which was not asked for`);
      advance(position, records, highWatermark);
    });
    this.fetch();
  }

  readRound(): void {
    for (const position of this.positions) position.offset = 0;
    if (this.paused) this.fetch();
  }

  close(): void {
    this.connection.close();
  }
}

/** Rejects when no record has come for some seconds. */
function watch(): NodeJS.Timeout {
  let before = -1;
  return setInterval(() => {
    if (recordsRead === before) failed.reject(new Error(`no records in ${STALLED_AFTER_MS} ms`));
    before = recordsRead;
  }, STALLED_AFTER_MS);
}

async function partitionCount(): Promise<number> {
  const caller = new Caller(port);
  const { topics } = readMetadata(await caller.call(metadataRequest(0, [options.topic])));
  caller.close();
  return topics[0].leaders.length;
}

async function run(): Promise<ConsumeResult> {
  const partitions = Array.from({ length: await partitionCount() }, (_, index) => index);
  const connections = Math.min(partitions.length, Number(options.connections));
  const readers = Array.from(
    { length: connections },
    (_, index) => new Reader(partitions.filter((partition) => partition % connections === index)),
  );
  await Promise.all(readers.map((reader) => reader.finishedPass.promise));
  if (options.expect !== undefined && recordsRead !== Number(options.expect)) {
    throw new Error(`read ${recordsRead} records, ${options.expect} were produced`);
  }
  if (recordsRead === 0) throw new Error(`topic ${options.topic} is empty`);
  checking = false;
  for (const reader of readers) reader.readRound();

  const from = { records: recordsRead, timeMs: performance.now(), cpu: pid === undefined ? 0 : cpuSeconds(pid) };
  const own = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, Number(options.seconds) * 1000));
  const used = process.cpuUsage(own);
  const seconds = (performance.now() - from.timeMs) / 1000;
  const records = recordsRead - from.records;
  const brokerCpuSeconds = pid === undefined ? undefined : cpuSeconds(pid) - from.cpu;
  for (const reader of readers) reader.close();
  return {
    records,
    seconds,
    rate: records / seconds,
    ...(brokerCpuSeconds === undefined ? {} : { brokerCpuSeconds }),
    readerCpuShare: (used.user + used.system) / 1e6 / seconds,
  };
}

const watchdog = watch();
console.log(JSON.stringify(await Promise.race([run(), failed.promise])));
clearInterval(watchdog);
