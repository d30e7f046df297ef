import { expect, test } from 'vitest';
import { explainFailure } from '../../src/cli/failure.ts';
import { UsageError } from '../../src/cli/options.ts';
import { InvalidConfigError } from '../../src/config/value.ts';
import { DiskError } from '../../storage/disk.ts';

function system(code: string, more: object): Error {
  return Object.assign(new Error(code), { code, ...more });
}

test.each([
  [new UsageError('No such thing'), 'No such thing'],
  [new InvalidConfigError('Bad value'), 'Bad value'],
  [new DiskError('LOCKED', '/d/.lock', null), 'Another broker holds the data directory (/d/.lock is locked).'],
  [new DiskError('NO_ACCESS', '/d', null), 'No permission to write /d.'],
  [new DiskError('NO_SPACE', '/d', null), 'No space left on the device that holds /d.'],
  [system('EACCES', { syscall: 'listen', address: '::1', port: 80 }), 'No permission to listen on ::1:80.'],
  [
    system('EADDRNOTAVAIL', { address: '1.2.3.4', port: 1 }),
    '1.2.3.4 is no address of this machine, so odradek cannot listen on it.',
  ],
  [system('ENOTFOUND', { hostname: 'nowhere' }), 'The host nowhere is unknown, so odradek cannot listen on it.'],
  [system('EPIPE', {}), null],
  [new TypeError('bug'), null],
  ['thrown', null],
])('%s', (error, expected) => {
  expect(explainFailure(error)).toBe(expected);
});
