import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';

export interface BenchOptions {
  rounds: number;
  quick: boolean;
  /** Names of contestants, in the order of the table. */
  contestants: string[];
  /** Names of scenarios; undefined for all. */
  scenarios: string[] | undefined;
  publish: boolean;
  /** Brokers use pairs of ports from here on. */
  port: number;
  temporaryDirectory: string;
  keep: boolean;
  nodeFlags: string[];
  settings: string[];
  fromSource: boolean;
  help: boolean;
}

const words = (text: string): string[] => text.split(/[\s,]+/).filter((word) => word !== '');

export function parseOptions(args: string[]): BenchOptions {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      scenarios: { type: 'string' },
      kfake: { type: 'boolean', default: false },
      publish: { type: 'boolean', default: false },
      port: { type: 'string', default: '19200' },
      tmp: { type: 'string', default: tmpdir() },
      keep: { type: 'boolean', default: false },
      'odradek-node-flags': { type: 'string', default: '' },
      'odradek-set': { type: 'string', multiple: true, default: [] },
      source: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds ${values.rounds}: a whole number from 1 on`);
  const contestants = values.only === undefined ? ['kafka', 'odradek'] : words(values.only);
  if (values.kfake && !contestants.includes('kfake')) contestants.push('kfake');
  return {
    rounds,
    quick: values.quick,
    contestants,
    scenarios: values.scenarios === undefined ? undefined : words(values.scenarios),
    publish: values.publish,
    port: Number(values.port),
    temporaryDirectory: values.tmp,
    keep: values.keep,
    // Flags hold no commas-as-separators of ours: --cpu-prof --max-semi-space-size=64.
    nodeFlags: values['odradek-node-flags'].split(/\s+/).filter((flag) => flag !== ''),
    settings: values['odradek-set'],
    fromSource: values.source,
    help: values.help,
  };
}
