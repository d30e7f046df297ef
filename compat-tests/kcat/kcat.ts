import { spawnSync } from 'node:child_process';
import { it } from 'vitest';
import type { Broker } from '../brokers.ts';
import { describeBrokers } from '../describe-brokers.ts';
import { type RunOptions, run } from '../oracle/tool.ts';

const missing = spawnSync('kcat', ['-V']).error !== undefined;

/** kcat bound to one broker: gives its output, or throws with what it said on stderr. */
export type Kcat = (args: string[], options?: RunOptions) => Promise<string>;

/** Like describeBrokers, with kcat; its tests are left out, and say so, on a machine without kcat. */
export function describeKcat(title: string, suite: (kcat: Kcat, broker: Broker) => void): void {
  describeBrokers(title, (broker) => {
    if (missing) {
      it.skip('SKIPPED, kcat is not installed here (Debian: apt-get install kcat)', () => {});
      return;
    }
    const kcat: Kcat = async (args, options) => {
      const { stdout, stderr, code } = await run('kcat', ['-b', broker.bootstrapServers, ...args], options);
      if (code !== 0) throw new Error(`kcat ${args.join(' ')} ended with ${code}:\n${stderr}`);
      return stdout;
    };
    suite(kcat, broker);
  });
}

export const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');
