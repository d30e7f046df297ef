import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BrokerName, brokerNames, type Home, newHome, removeHome, startBroker } from '../brokers.ts';
import { registerCodecs } from '../kafkajs/codecs.ts';
import { oracleAvailable } from '../oracle/jars.ts';
import { runTool } from '../oracle/tool.ts';
import { addLoad, createTopics } from './load.ts';

registerCodecs();

const METADATA = '__cluster_metadata';
const OFFSETS = '__consumer_offsets';
const TRANSACTIONS = '__transaction_state';

/** Gaps that are none: before the first offset of a segment, whoever wrote it, and where compaction has been. */
const expectedGaps = [
  /^Non-consecutive offsets in \S+\/0*(\d+)\.log\n\s+-1 is followed by \1\n/gm,
  /^Non-consecutive offsets in \S+\/compacted-\d\/\S+\n(\s+-?\d+ is followed by \d+\n)+/gm,
];

describe.each(brokerNames)("Kafka's DumpLogSegments and files of %s", (name) => {
  const oracle = oracleAvailable();
  if (!oracle.available) it.skip(`SKIPPED, Apache Kafka cannot be run: ${oracle.reason}`, () => {});
  else suite(name);
});

function suite(name: BrokerName): void {
  let home: Home;

  beforeAll(async () => {
    home = await newHome('dump');
    const broker = await startBroker(name, {
      ...home,
      properties: { 'offsets.topic.num.partitions': '4', 'transaction.state.log.num.partitions': '4' },
    });
    await createTopics(broker.bootstrapServers);
    await addLoad(broker.bootstrapServers, 0);
    // Some of the files are what recovery makes of them.
    await broker.kill();
    await broker.restart();
    await addLoad(broker.bootstrapServers, 1);
    await broker.stop();
  });
  afterAll(() => removeHome(home));

  /** All files with these endings in the partitions' folders, of one topic or of all. */
  const filesOf = (endings: string[], topic = ''): string[] => {
    const data = join(home.directory, 'data');
    const folders = readdirSync(data, { withFileTypes: true }).filter(
      (e) => e.isDirectory() && e.name.startsWith(topic),
    );
    return folders
      .flatMap(({ name }) => readdirSync(join(data, name)).map((file) => join(data, name, file)))
      .filter((path) => endings.some((ending) => path.endsWith(ending)))
      .sort();
  };

  /** What the tool prints; it must end with 0 and find nothing wrong. */
  const dump = async (files: string[], ...flags: string[]): Promise<string> => {
    const args = ['--files', files.join(','), ...flags];
    const { stdout, stderr, code } = await runTool('org.apache.kafka.tools.DumpLogSegments', args);
    const complaints = expectedGaps.reduce((text, gap) => text.replace(gap, ''), stderr);
    expect({ code, complaints }).toEqual({ code: 0, complaints: '' });
    // Of each file it tells that it was dumped, and of a bad one what is wrong with it.
    expect(stdout.match(/^Dumping /gm)).toHaveLength(files.length);
    expect(stdout).not.toMatch(/mismatch|non-consecutive|out of order|invalid|isvalid: false|corrupt|error/i);
    return stdout;
  };

  it('reads every segment, record by record, and every snapshot of producers', async () => {
    const segments = filesOf(['.log']);
    const dumped = await dump([...segments, ...filesOf(['.snapshot'])], '--deep-iteration');
    // The load has made what this is about: segments that rolled, all codecs, idempotent producers.
    expect(segments.length).toBeGreaterThan(50);
    const codecs = new Set([...dumped.matchAll(/compresscodec: (\w+)/g)].map(([, codec]) => codec));
    expect([...codecs].sort()).toEqual(['gzip', 'lz4', 'none', 'snappy', 'zstd']);
    expect(dumped).toMatch(/^producerId: \d+ producerEpoch: 0 /m);
  });

  it('finds every index sane, and each entry in its segment', async () => {
    const indexes = filesOf(['.index', '.timeindex']);
    expect(indexes.length).toBeGreaterThan(50);
    const checked = await dump(indexes, '--index-sanity-check');
    expect(checked.match(/ (passed sanity check|is empty)\.$/gm)).toHaveLength(indexes.length);
    await dump(indexes, '--verify-index-only');
  });

  it('decodes the metadata log', async () => {
    const dumped = await dump(filesOf(['.log', '.checkpoint'], METADATA), '--cluster-metadata-decoder');
    for (const type of ['TOPIC_RECORD', 'PARTITION_RECORD', 'CONFIG_RECORD', 'CLIENT_QUOTA_RECORD'])
      expect(dumped).toContain(`"type":"${type}"`);
    expect(dumped).toContain('"type":"USER_SCRAM_CREDENTIAL_RECORD"');
  });

  it('decodes the transactions, and finds the index of aborted ones sane', async () => {
    const dumped = await dump(filesOf(['.log'], TRANSACTIONS), '--transaction-log-decoder');
    // TransactionState's numbers: 4 CompleteCommit, 5 CompleteAbort
    expect(dumped).toMatch(/load-abort.*"transactionStatus":5/);
    expect(dumped).toMatch(/load-commit.*"transactionStatus":4/);
    const aborted = await dump(filesOf(['.txnindex'], 'transacted'));
    expect(aborted).toMatch(/producerId: \d+/);
  });

  it('decodes the offsets and groups', async () => {
    const dumped = await dump(filesOf(['.log'], OFFSETS), '--offsets-decoder');
    expect(dumped).toContain('"group":"steady","topic":"codec-none","partition":0');
    expect(dumped).toContain('as of round 1');
  });
}
