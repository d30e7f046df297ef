import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Disk, DiskError, MemoryDisk, NodeDisk } from '../../storage/index.ts';
import { pageCacheIdentity } from '../../storage/node-disk-page-cache.ts';

const root = mkdtempSync(join(tmpdir(), 'odradek-disk-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let folders = 0;
function folder(disk: Disk): string {
  const path = join(root, `f${folders++}`);
  disk.makeDir(path);
  return path;
}

/** Linux with util-linux. */
const canLockOtherwise = (): boolean =>
  existsSync('/proc/locks') && spawnSync('flock', ['--version']).error === undefined;

const codeOf = (action: () => unknown): string => {
  try {
    action();
    return 'none';
  } catch (error) {
    return error instanceof DiskError ? error.code : String(error);
  }
};

describe.each([
  ['NodeDisk', (): Disk => new NodeDisk()],
  ['MemoryDisk', (): Disk => new MemoryDisk()],
])('%s', (_name, make) => {
  const disk = make();

  test('files grow, shrink and keep what is written anywhere', () => {
    const dir = folder(disk);
    const file = disk.open(`${dir}/a`, 'create');
    const big = Buffer.alloc(700_000, 'b');
    file.writeSync(Buffer.from('hello'), 0);
    file.writeSync(big, 300_000);
    expect(file.sizeBytes()).toBe(1_000_000);
    const target = Buffer.alloc(10, 'x');
    expect(file.readSync(target, 299_995)).toBe(10);
    expect(target.toString('latin1')).toBe('\0\0\0\0\0bbbbb');
    expect(file.readSync(target, 999_997)).toBe(3);
    expect(file.readSync(target, 2_000_000)).toBe(0);
    file.truncateSync(3);
    file.writeSync(Buffer.from('p'), 5);
    expect(disk.readFile(`${dir}/a`)?.toString('latin1')).toBe('hel\0\0p');
    file.close();
  });

  test('a file grown by truncate is filled with zeros, also where bytes have been', () => {
    const file = disk.open(`${folder(disk)}/a`, 'create');
    file.writeSync(Buffer.alloc(20, 'x'), 0);
    file.truncateSync(5);
    file.truncateSync(10);
    const target = Buffer.alloc(10);
    file.readSync(target, 0);
    expect(target.toString('latin1')).toBe('xxxxx\0\0\0\0\0');
  });

  test('a file knows when it was last changed, and can be told another time', () => {
    const path = `${folder(disk)}/a`;
    const beforeMs = Date.now();
    const file = disk.open(path, 'create');
    file.writeSync(Buffer.from('hello'), 0);
    // A file system's clock may be a tick behind.
    expect(Math.abs(file.modifiedMs() - beforeMs)).toBeLessThan(10_000);
    file.setModifiedMs(1_700_000_000_123);
    expect(file.modifiedMs()).toBe(1_700_000_000_123);
    file.close();
    expect(disk.open(path, 'existing').modifiedMs()).toBe(1_700_000_000_123);
    const again = disk.open(path, 'existing');
    again.truncateSync(2);
    expect(Math.abs(again.modifiedMs() - beforeMs)).toBeLessThan(10_000);
  });

  test('asynchronous reads and syncs finish even when the file is closed meanwhile', async () => {
    const file = disk.open(`${folder(disk)}/a`, 'create');
    file.writeSync(Buffer.from('hello'), 0);
    const target = Buffer.alloc(8);
    const reading = file.read(target, 1);
    const syncing = file.sync();
    file.close();
    file.close();
    await syncing;
    expect([await reading, target.toString('latin1', 0, 4)]).toEqual([4, 'ello']);
  });

  test('a file can be opened for reading only, and is not made by that', () => {
    const disk = make();
    const path = join(folder(disk), 'file');
    expect(codeOf(() => disk.open(path, 'read-only'))).toBe('NOT_FOUND');
    disk.writeFile(path, 'abc');
    const file = disk.open(path, 'read-only');
    const bytes = Buffer.alloc(3);
    expect([file.readSync(bytes, 0), String(bytes), file.sizeBytes()]).toEqual([3, 'abc', 3]);
    file.close();
  });

  test('errors have names', () => {
    const dir = folder(disk);
    expect(codeOf(() => disk.open(`${dir}/none`, 'existing'))).toBe('NOT_FOUND');
    expect(codeOf(() => disk.open(`${dir}/none/a`, 'create'))).toBe('NOT_FOUND');
    expect(codeOf(() => disk.writeFile(`${dir}/none/a`, 'x'))).toBe('NOT_FOUND');
    expect(codeOf(() => disk.rename(`${dir}/none`, `${dir}/b`))).toBe('NOT_FOUND');
    disk.writeFile(`${dir}/file`, 'x');
    expect(codeOf(() => disk.makeDir(`${dir}/file`))).toBe('EXISTS');
    expect(disk.readFile(`${dir}/none`)).toBeNull();
    expect(disk.list(`${dir}/none`)).toEqual([]);
  });

  test('files are replaced as a whole and listed by name', () => {
    const dir = folder(disk);
    disk.writeFile(`${dir}/b`, 'first, and longer');
    disk.writeFile(`${dir}/b`, Buffer.from('second'), { durable: false });
    disk.writeFile(`${dir}/a`, '');
    disk.makeDir(`${dir}/c/d`);
    expect(disk.list(dir)).toEqual(['a', 'b', 'c']);
    expect(disk.readFile(`${dir}/b`)?.toString()).toBe('second');
    expect([disk.exists(`${dir}/c/d`), disk.exists(`${dir}/e`)]).toEqual([true, false]);
  });

  test('an open file goes along with a rename and outlives its name', async () => {
    const dir = folder(disk);
    disk.makeDir(`${dir}/x`);
    const file = disk.open(`${dir}/x/a`, 'create');
    disk.rename(`${dir}/x`, `${dir}/y`);
    file.writeSync(Buffer.from('one'), 0);
    expect(disk.readFile(`${dir}/y/a`)?.toString()).toBe('one');
    disk.writeFile(`${dir}/z`, 'old');
    disk.rename(`${dir}/y/a`, `${dir}/z`);
    expect(disk.readFile(`${dir}/z`)?.toString()).toBe('one');
    disk.remove(`${dir}/z`);
    disk.remove(`${dir}/z`);
    file.writeSync(Buffer.from('two'), 0);
    const target = Buffer.alloc(3);
    file.readSync(target, 0);
    expect(target.toString()).toBe('two');
    await disk.removeAsync(`${dir}/y`);
    expect(disk.list(dir)).toEqual([]);
    disk.syncDir(dir);
    await disk.syncDirAsync(dir);
  });

  test('a lock has one holder', () => {
    const path = `${folder(disk)}/.lock`;
    const lock = disk.lock(path);
    expect(codeOf(() => disk.lock(path))).toBe('LOCKED');
    lock.release();
    disk.lock(path).release();
  });

  test('space is known', () => {
    const { totalBytes, usableBytes } = disk.space(folder(disk));
    expect(totalBytes).toBeGreaterThanOrEqual(usableBytes);
    expect(usableBytes).toBeGreaterThan(0);
  });
});

describe('the lock file', () => {
  const disk = new NodeDisk();

  /** A process that locks `path` and then waits to be killed. */
  async function lockElsewhere(path: string, action = ''): Promise<() => Promise<void>> {
    const module = new URL('../../storage/node-disk.ts', import.meta.url).pathname;
    const script = `import { NodeDisk } from ${JSON.stringify(module)}; const lock = new NodeDisk().lock(${JSON.stringify(path)}); ${action}; console.log('held'); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    return () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill('SIGKILL');
      });
  }

  test('keeps out while its holder lives, and not after kill -9', async () => {
    const path = `${folder(disk)}/.lock`;
    const kill = await lockElsewhere(path);
    expect(() => disk.lock(path)).toThrow(/in use by process \d+/);
    await kill();
    const lock = disk.lock(path);
    expect(readFileSync(path, 'utf8').startsWith(`${process.pid}\n`)).toBe(true);
    lock.release();
  });

  test.runIf(canLockOtherwise())(
    "keeps out while a process holds the system's lock on it, whatever the text says",
    async () => {
      const path = `${folder(disk)}/.lock`;
      const kill = await lockElsewhere(path);
      await kill();
      // As Apache Kafka does, which leaves the text of the one before.
      const other = spawn('flock', ['--no-fork', path, 'sh', '-c', 'echo held; exec sleep 60']);
      await new Promise((resolve) => other.stdout.once('data', resolve));
      expect(() => disk.lock(path)).toThrow(`in use by process ${other.pid}`);
      const ended = new Promise((resolve) => other.once('exit', resolve));
      other.kill();
      await ended;
      disk.lock(path).release();
    },
  );

  /** Whether somebody who takes the lock after `action` and a kill, and then `change`, finds that the one before has vouched. */
  async function isVouchedAfter(action: string, change: (path: string) => string = (path) => path): Promise<boolean> {
    const path = `${folder(disk)}/.lock`;
    const kill = await lockElsewhere(path, action);
    await kill();
    const lock = disk.lock(change(path));
    lock.release();
    return lock.vouched;
  }

  const canVouch = pageCacheIdentity(root) !== null;

  test('tells after kill -9 whether its holder has vouched', async () => {
    expect(await isVouchedAfter('')).toBe(false);
    expect(await isVouchedAfter('lock.vouch()')).toBe(canVouch);
    expect(await isVouchedAfter('lock.vouch(); lock.vouch()')).toBe(canVouch);
    expect(await isVouchedAfter('lock.vouch(); lock.withdraw()')).toBe(false);
    expect(await isVouchedAfter('lock.vouch(); lock.withdraw(); lock.vouch()')).toBe(canVouch);
    expect(await isVouchedAfter('lock.vouch(); lock.release()')).toBe(false);
  });

  test.runIf(canVouch)(
    'counts for nothing in a copy, after another boot, on another mount, or with half a line',
    async () => {
      const edit = (replace: (content: string) => string) => (path: string) => {
        writeFileSync(path, replace(readFileSync(path, 'utf8')));
        return path;
      };
      expect(
        await isVouchedAfter(
          'lock.vouch()',
          edit((content) => content),
        ),
      ).toBe(true);
      expect(
        await isVouchedAfter(
          'lock.vouch()',
          edit((content) => content.slice(0, -1)),
        ),
      ).toBe(false);
      expect(
        await isVouchedAfter(
          'lock.vouch()',
          edit((content) => content.replace(/vouched \S{4}/, 'vouched 0000')),
        ),
      ).toBe(false);
      expect(
        await isVouchedAfter(
          'lock.vouch()',
          edit((content) => content.replace(/:(\d+) /, ':1$1 ')),
        ),
      ).toBe(false);
      const copied = await isVouchedAfter('lock.vouch()', (path) => {
        const copy = `${folder(disk)}/.lock`;
        copyFileSync(path, copy);
        return copy;
      });
      expect(copied).toBe(false);
    },
  );

  test('of a process whose number another one has now is stale', () => {
    const path = `${folder(disk)}/.lock`;
    writeFileSync(path, `${process.pid}\n1\nsome-other-boot\n`);
    disk.lock(path).release();
  });

  test('that Kafka has left behind, empty, is free', () => {
    const path = `${folder(disk)}/.lock`;
    writeFileSync(path, '');
    disk.lock(path).release();
  });

  test('is not made where the folder cannot be written', () => {
    const path = `${folder(disk)}/none/.lock`;
    expect(codeOf(() => disk.lock(path))).toBe('NOT_FOUND');
    mkdirSync(join(root, 'none'), { recursive: true });
  });
});

test('NodeDisk asks for no right to write a file that it is only to read', () => {
  const disk = new NodeDisk();
  const path = join(folder(disk), 'file');
  writeFileSync(path, 'abc', { mode: 0o400 });
  const file = disk.open(path, 'read-only');
  expect(() => file.writeSync(Buffer.from('x'), 0)).toThrow(DiskError);
  file.close();
});

test('MemoryDisk has room for so much', () => {
  const disk = new MemoryDisk({ capacityBytes: 100 });
  disk.writeFile('/a', Buffer.alloc(60));
  const file = disk.open('/b', 'create');
  expect(codeOf(() => file.writeSync(Buffer.alloc(41), 0))).toBe('NO_SPACE');
  file.writeSync(Buffer.alloc(40), 0);
  file.writeSync(Buffer.alloc(40), 0);
  disk.remove('/a');
  expect(disk.space()).toEqual({ totalBytes: 100, usableBytes: 60 });
});

test.runIf(process.platform === 'linux')('makes no directory where none can be, and says so', () => {
  expect(codeOf(() => new NodeDisk().makeDir('/proc/nope'))).toBe('NOT_FOUND');
});
