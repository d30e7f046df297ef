import { describe, expect, it } from 'vitest';
import { chart } from '../../scripts/bench/chart.ts';
import { parseOptions } from '../../scripts/bench/options.ts';
import { briefFailure, figures, formatNumber, formatTable, reached } from '../../scripts/bench/report.ts';
import type { Metric } from '../../scripts/bench/scenario.ts';
import { consumerRate } from '../../scripts/bench/scenarios/consume.ts';
import { producerRate } from '../../scripts/bench/scenarios/produce.ts';
import { percentile, summary } from '../../scripts/bench/statistics.ts';

const START: Metric = {
  key: 'start',
  label: 'cold start',
  unit: 'ms',
  better: 'lower',
  goal: { ratio: 0.1 },
  chart: true,
};
const RATE: Metric = { key: 'rate', label: 'rate', unit: '1/s', better: 'higher', goal: { value: 1e6 }, chart: true };

const found = figures([START, RATE], {
  kafka: { start: [2000, 4000, null], rate: [10, 10, 10] },
  odradek: { start: [200, 200, 300], rate: [20, 5, 30] },
});

describe('the report', () => {
  it('takes ratios within a round and leaves out rounds that failed', () => {
    expect(found[0].ratio?.median).toBeCloseTo(0.075);
    expect(found[0].ratio).toMatchObject({ min: 0.05, max: 0.1 });
    expect(found[1].ratio).toEqual({ median: 2, min: 0.5, max: 3 });
  });

  it('judges goals that are ratios and goals that are values', () => {
    expect(found.map(reached)).toEqual([true, false]);
  });

  it('is a table with one line a figure', () => {
    const lines = formatTable(found, ['kafka', 'odradek']).split('\n');
    expect(lines).toHaveLength(4);
    expect(new Set(lines.map((line) => line.length)).size).toBe(1);
    expect(lines[2]).toContain('0.075 (0.05..0.10)');
    expect(lines[3]).toContain('>= 1,000,000 NO');
  });

  it('tells a contestant that failed everywhere from one that did not take part', () => {
    const alone = figures([START], { kafka: { start: [null] }, odradek: { start: [5] }, kfake: {} });
    expect(formatTable(alone, ['kafka', 'odradek', 'kfake'])).toMatch(/\| +failed \| +5 \| +- \|/);
  });

  it('draws a bar for each compared figure and escapes text', () => {
    const svg = chart(figures([{ ...START, label: 'a < b' }], { kafka: { start: [10] }, odradek: { start: [1] } }));
    expect(svg.match(/<rect/g)).toHaveLength(1);
    expect(svg).toContain('a &lt; b');
    expect(svg).toContain('prefers-color-scheme: dark');
  });

  it('writes numbers for people', () => {
    expect([0.033312, 8.6563, 378.2, 1234567.8].map(formatNumber)).toEqual(['0.0333', '8.66', '378', '1,234,568']);
  });
});

describe('statistics', () => {
  it('take the nearest rank', () => {
    const samples = Array.from({ length: 1000 }, (_, index) => index + 1);
    expect([50, 99, 99.9, 100].map((percent) => percentile(samples, percent))).toEqual([500, 990, 999, 1000]);
    expect(percentile([], 50)).toBeNaN();
  });

  it('take the mean of the middle two', () => {
    expect(summary([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4 });
    expect(summary([])).toBeUndefined();
  });
});

describe("the output of Kafka's tools", () => {
  it('gives the rate of ProducerPerformance without its warm-up', () => {
    const output = [
      '100 records sent, 10.0 records/sec (0.00 MB/sec), 5.0 ms avg latency, 6.0 ms max latency.',
      '800 records sent, 412345.678901 records/sec (39.3 MB/sec), 1.5 ms avg latency, 99.0 ms max latency, 1 ms 50th.',
      '',
    ].join('\n');
    expect(producerRate(output)).toBeCloseTo(412345.678901);
    expect(() => producerRate('org.apache.kafka.common.errors.TimeoutException')).toThrow('Timeout');
  });

  it('gives the fetch rate of ConsumerPerformance', () => {
    const line =
      '2026-01-01 00:00:00:000, 2026-01-01 00:00:02:000, 95.4, 47.7, 1000000, 500000.0, 1500, 500, 190.7, 2000000.0';
    expect(consumerRate(`${line}\n`)).toEqual({ records: 1_000_000, rate: 2_000_000 });
    expect(() => consumerRate('no records')).toThrow('no records');
  });
});

describe('the options', () => {
  it('have one round when quick, three otherwise', () => {
    expect(parseOptions([]).rounds).toBe(3);
    expect(parseOptions(['--quick']).rounds).toBe(1);
    expect(() => parseOptions(['--rounds', '0'])).toThrow('--rounds');
  });

  it('pass flags with values on to node', () => {
    expect(parseOptions(['--odradek-node-flags=--cpu-prof --cpu-prof-interval=200']).nodeFlags).toEqual([
      '--cpu-prof',
      '--cpu-prof-interval=200',
    ]);
  });

  it('add kfake once', () => {
    expect(parseOptions(['--kfake', '--only', 'odradek,kfake']).contestants).toEqual(['odradek', 'kfake']);
  });
});

it('a failure is published as its error, without the stack and the paths of the machine', () => {
  const stack =
    '/home/me/x/node ended with 1: node:internal:107\n    at a (file:///home/me/x.ts:1)\n\nError: read ECONNRESET\n    at b {\n';
  expect(briefFailure(`kfake, replay: ${stack}`)).toBe('kfake, replay: Error: read ECONNRESET');
  const java =
    'java ended with 1: Exception in thread "main" java.lang.X: y\nCaused by: java.lang.NullPointerException: z\n\tat q';
  expect(briefFailure(`kfake, transactions: ${java}`)).toBe(
    'kfake, transactions: Caused by: java.lang.NullPointerException: z',
  );
  expect(briefFailure('kfake, fetch: /home/me/node ended with SIGKILL')).toBe('kfake, fetch: node ended with SIGKILL');
});
