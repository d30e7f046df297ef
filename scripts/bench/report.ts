import type { Results } from './rounds.ts';
import type { Metric } from './scenario.ts';
import { type Summary, summary } from './statistics.ts';

/** Everything a run of the bench found: what goes into the JSON file and from which table and chart are made. */
export interface Report {
  date: string;
  machine: Record<string, string | number>;
  quick: boolean;
  rounds: number;
  contestants: Record<string, string>;
  figures: Figure[];
  notes: string[];
  failures: string[];
}

export interface Figure {
  metric: Metric;
  /** By contestant: median and spread over the rounds that worked. */
  values: Record<string, Summary>;
  /** Contestants that tried and failed in every round. */
  failed: string[];
  /** odradek / Kafka, taken within each round and then summed up. */
  ratio: Summary | undefined;
}

export function figures(metrics: readonly Metric[], results: Results): Figure[] {
  return metrics.map((metric) => {
    const values: Record<string, Summary> = {};
    const failed: string[] = [];
    for (const [contestant, byKey] of Object.entries(results)) {
      const rounds = byKey[metric.key] ?? [];
      const found = summary(rounds.filter((value) => value !== null));
      if (found) values[contestant] = found;
      else if (rounds.length > 0) failed.push(contestant);
    }
    return { metric, values, failed, ratio: summary(ratios(metric.key, results)) };
  });
}

function ratios(key: string, { kafka = {}, odradek = {} }: Results): number[] {
  const found: number[] = [];
  (odradek[key] ?? []).forEach((ours, round) => {
    const theirs = kafka[key]?.[round];
    if (ours !== null && theirs) found.push(ours / theirs);
  });
  return found;
}

/** Three significant digits, or whole thousands-separated numbers from 1,000 on. */
export function formatNumber(value: number): string {
  const rounded = Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(3));
  return rounded.toLocaleString('en-US', { maximumFractionDigits: 20 });
}

/** Two digits that say something: 0.021, 0.35, 1.82. */
export function formatRatio(ratio: number): string {
  return ratio < 0.1 ? Number(ratio.toPrecision(2)).toString() : ratio.toFixed(2);
}

function formatSpread(ratio: Summary | undefined): string {
  if (!ratio) return '';
  const median = formatRatio(ratio.median);
  return ratio.min === ratio.max ? median : `${median} (${formatRatio(ratio.min)}..${formatRatio(ratio.max)})`;
}

/** Whether the goal of a figure is reached; undefined when there is none or nothing to judge. */
export function reached({ metric, ratio, values }: Figure): boolean | undefined {
  if (!metric.goal) return undefined;
  const [have, wanted] =
    'ratio' in metric.goal ? [ratio?.median, metric.goal.ratio] : [values.odradek?.median, metric.goal.value];
  if (have === undefined) return undefined;
  return metric.better === 'lower' ? have <= wanted : have >= wanted;
}

function formatGoal(figure: Figure): string {
  const { goal, better } = figure.metric;
  if (!goal) return '';
  const bound = `${better === 'lower' ? '<=' : '>='} ${formatNumber('ratio' in goal ? goal.ratio : goal.value)}`;
  const verdict = reached(figure);
  return verdict === undefined ? bound : `${bound} ${verdict ? 'yes' : 'NO'}`;
}

/** A dash stands for a contestant that did not take part. */
function formatValue({ values, failed }: Figure, contestant: string): string {
  if (values[contestant]) return formatNumber(values[contestant].median);
  return failed.includes(contestant) ? 'failed' : '-';
}

/** A table that is Markdown and reads as plain text. */
export function formatTable(found: readonly Figure[], contestants: readonly string[]): string {
  const compared = contestants.includes('kafka') && contestants.includes('odradek');
  const header = ['', 'unit', ...contestants, ...(compared ? ['odradek / kafka'] : []), 'goal'];
  const rows = found.map((figure) => [
    figure.metric.label,
    figure.metric.unit,
    ...contestants.map((name) => formatValue(figure, name)),
    ...(compared ? [formatSpread(figure.ratio)] : []),
    formatGoal(figure),
  ]);
  const widths = header.map((title, column) => Math.max(title.length, 3, ...rows.map((row) => row[column].length)));
  const isText = (column: number): boolean => column < 2;
  const line = (cells: string[]): string =>
    `| ${cells.map((cell, column) => (isText(column) ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join(' | ')} |`;
  const rule = widths.map((width, column) => (isText(column) ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(header), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n');
}

/** `CONTESTANT, SCENARIO: what went wrong` as one line that says nothing of the machine: where the text has an error with its stack, that error. */
export function briefFailure(failure: string): string {
  const at = failure.indexOf(': ');
  const lines = failure.slice(at + 2).split('\n');
  const told = lines.findLast((line) => /^(Caused by: )?[\w.]*(Error|Exception): /.test(line)) ?? lines[0];
  return failure.slice(0, at + 2) + told.replaceAll(/(^|\s)(\/[^\s/]+)+\//g, '$1');
}
