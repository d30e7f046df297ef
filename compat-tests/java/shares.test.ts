import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeBrokers } from '../describe-brokers.ts';
import { javaArgs, oracleAvailable } from '../oracle/jars.ts';
import { run } from '../oracle/tool.ts';

describeBrokers("Java's share consumers", (broker) => {
  const oracle = oracleAvailable();
  if (!oracle.available) return it.skip(`SKIPPED, Java's clients cannot be run: ${oracle.reason}`, () => {});

  /** What the scenario of Shares.java has seen. */
  async function seen(scenario: string): Promise<string[]> {
    const program = join(import.meta.dirname, 'Shares.java');
    const args = [...javaArgs({ flags: ['-XX:TieredStopAtLevel=1'] }), program, broker.bootstrapServers, scenario];
    const { stdout, stderr, code } = await run('java', args, { timeoutMs: 100_000 });
    if (code !== 0) throw new Error(`${scenario} ended with ${code}:\n${stdout}${stderr}`);
    const prefix = `${scenario}: `;
    return stdout.split('\n').flatMap((line) => (line.startsWith(prefix) ? [line.slice(prefix.length)] : []));
  }

  it('read side by side, more of them than partitions', async () => {
    expect(await seen('crowd')).toEqual([
      'state Stable, members 4',
      'seen 500, more than once 0',
      'several readers true',
      'state Empty',
    ]);
  });

  it('accept, release and reject', async () => {
    expect(await seen('acknowledge')).toEqual(['{0=1, 1=1, 2=2, 3=1, 4=1, 5=2, 6=1, 7=1, 8=2}']);
  });

  it('take over what one who leaves gives back', async () => {
    expect(await seen('leave')).toEqual(['[4, 5, 6, 7, 8, 9], delivery 2']);
  });
});
