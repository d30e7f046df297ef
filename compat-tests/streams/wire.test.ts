import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { describeBrokers } from '../describe-brokers.ts';
import { uniqueName } from '../helpers.ts';
import { endpointWithoutTopics, scenarios } from './scenarios.ts';
import { WireGroup } from './wire-group.ts';

/** What Apache Kafka 4.3.1 answered. Written anew by a run with COMPAT_RECORD=1. */
const file = join(import.meta.dirname, 'recorded.json');
const isRecording = process.env.COMPAT_RECORD !== undefined;
const recorded: Record<string, unknown> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};

describeBrokers('answers of streams groups', (broker) => {
  afterAll(() => {
    if (isRecording && broker.name === 'kafka') writeFileSync(file, `${JSON.stringify(recorded, null, 2)}\n`);
  });

  async function answersTo(run: (group: WireGroup) => Promise<unknown>): Promise<unknown> {
    const group = await WireGroup.open(broker, uniqueName('w').slice(2));
    try {
      return JSON.parse(JSON.stringify(await run(group)));
    } finally {
      await group.close();
    }
  }

  it.each(scenarios)('%s', async (name, run) => {
    const answers = await answersTo(run);
    if (isRecording && broker.name === 'kafka') recorded[name] = answers;
    expect(answers).toEqual(recorded[name]);
  });

  it('an endpoint while source topics are missing', async () => {
    const told = { errorCode: 0, status: [{ statusCode: 1, statusDetail: 'Source topics in are missing.' }] };
    const failed = { errorCode: -1, status: [] };
    expect(await answersTo(endpointWithoutTopics)).toEqual(broker.name === 'kafka' ? failed : told);
  });
});
