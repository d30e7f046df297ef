import { type Figure, formatNumber, formatRatio } from './report.ts';

const WIDTH = 800;
const LABEL_WIDTH = 190;
const BAR_WIDTH = 350;
const ROW = 26;
const BAR_HEIGHT = 14;
const HEADING = 40;
const LEAST_SCALE = 1.25;

/** Both colour schemes in one file: the media query follows the reader's, also when the chart is shown as an image. */
const STYLE = `
    text { font: 13px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #1f2328 }
    .heading { font-weight: 600 }
    .small { font-size: 12px; fill: #59636e }
    .good { fill: #1a7f64 }
    .bad { fill: #bc4c00 }
    .spread { stroke: #1f2328; stroke-opacity: .55 }
    .kafka { stroke: #59636e; stroke-dasharray: 3 3 }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3 }
      .small { fill: #9198a1 }
      .good { fill: #2ea98a }
      .bad { fill: #e0752d }
      .spread { stroke: #e6edf3 }
      .kafka { stroke: #9198a1 }
    }`;

const escapeXml = (text: string): string =>
  text.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c] ?? c);
const px = (value: number): string => value.toFixed(1);

interface Row {
  figure: Figure;
  ratio: { median: number; min: number; max: number };
}

/** Horizontal bars of odradek / Kafka in two groups (less is better, more is better), Kafka being the line at 1. */
export function chart(found: readonly Figure[]): string {
  const rows = found.flatMap((figure) =>
    figure.metric.chart && figure.ratio ? [{ figure, ratio: figure.ratio }] : [],
  );
  const groups = [
    { heading: 'Less is better', rows: rows.filter(({ figure }) => figure.metric.better === 'lower') },
    { heading: 'More is better', rows: rows.filter(({ figure }) => figure.metric.better === 'higher') },
  ].filter((group) => group.rows.length > 0);
  const scale = BAR_WIDTH / Math.max(LEAST_SCALE, ...rows.map(({ ratio }) => ratio.max));
  const parts: string[] = [];
  let y = 8;
  for (const group of groups) {
    const end = y + HEADING + group.rows.length * ROW;
    parts.push(heading(group.heading, y, scale));
    const kafkaX = px(LABEL_WIDTH + scale);
    parts.push(`<line class="kafka" x1="${kafkaX}" x2="${kafkaX}" y1="${y + HEADING - 6}" y2="${end}"/>`);
    group.rows.forEach((row, index) => {
      parts.push(bar(row, y + HEADING + index * ROW, scale));
    });
    y = end + 14;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img">
  <title>odradek compared with Apache Kafka</title>
  <style>${STYLE}
  </style>
  ${parts.join('\n  ')}
</svg>
`;
}

function heading(text: string, y: number, scale: number): string {
  const kafkaX = px(LABEL_WIDTH + scale);
  return (
    `<text class="heading" x="0" y="${y + 18}">${text}</text>` +
    `<text class="small" x="${kafkaX}" y="${y + 28}" text-anchor="middle">Apache Kafka = 1</text>` +
    `<text class="small" x="${WIDTH}" y="${y + 28}" text-anchor="end">ratio, odradek / Apache Kafka</text>`
  );
}

function bar({ figure, ratio }: Row, y: number, scale: number): string {
  const { metric, values } = figure;
  const better = metric.better === 'lower' ? ratio.median <= 1 : ratio.median >= 1;
  const middle = y + ROW / 2;
  const value = (name: string): string => formatNumber(values[name].median);
  const detail = `${value('odradek')} / ${value('kafka')} ${metric.unit}`;
  const spread =
    ratio.min === ratio.max
      ? ''
      : `<line class="spread" x1="${px(LABEL_WIDTH + ratio.min * scale)}" x2="${px(LABEL_WIDTH + ratio.max * scale)}" y1="${middle}" y2="${middle}"/>`;
  const after = px(LABEL_WIDTH + Math.max(ratio.max, 1) * scale + 8);
  return (
    `<text x="0" y="${middle + 4}">${escapeXml(metric.label)}</text>` +
    `<rect class="${better ? 'good' : 'bad'}" x="${LABEL_WIDTH}" y="${middle - BAR_HEIGHT / 2}" width="${px(ratio.median * scale)}" height="${BAR_HEIGHT}" rx="2"/>` +
    spread +
    `<text x="${after}" y="${middle + 4}">${formatRatio(ratio.median)} <tspan class="small" dx="4">${escapeXml(detail)}</tspan></text>`
  );
}
