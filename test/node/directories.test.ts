import { describe, expect, it } from 'vitest';
import { explainFailure } from '../../src/cli/failure.ts';
import { identify } from '../../src/node/directories.ts';
import { systemRandom } from '../../src/system-env.ts';
import { MemoryDisk } from '../../storage/index.ts';

const NODE_ID = 1;
const META = 'version=1\ncluster.id=AAAAAAAAAAAAAAAAAAABBA\nnode.id=1\ndirectory.id=abcdefghijklmnopqrstug\n';

function diskWith(...folders: string[]): MemoryDisk {
  const disk = new MemoryDisk();
  for (const folder of folders) disk.makeDir(folder);
  return disk;
}

const identifyOn = (disk: MemoryDisk, paths: string[]) => identify(disk, paths, NODE_ID, null, systemRandom);

describe('directories without meta.properties', () => {
  it.each([['t-0'], ['__cluster_metadata-0']])('are refused in one line where there is %s', (replica) => {
    const disk = diskWith('/a', `/b/${replica}`);
    const refused = () => identifyOn(disk, ['/a', '/b']);
    expect(refused).toThrow(/^No readable meta\.properties files found, but \/b has been used: it holds /);
    try {
      refused();
    } catch (error) {
      expect(explainFailure(error)).toContain(replica);
    }
    expect(disk.exists('/a/meta.properties')).toBe(false);
  });

  it.each([['lost+found'], ['.Trash-1000'], ['t-0.abc-stray']])('become this node’s where there is only %s', (name) => {
    const disk = diskWith(`/a/${name}`);
    const { clusterId, directoryIds } = identifyOn(disk, ['/a']);
    expect(disk.readFile('/a/meta.properties')?.toString()).toContain(`cluster.id=${clusterId}`);
    expect(directoryIds.size).toBe(1);
  });

  it('become this node’s beside one that says whose it is', () => {
    const disk = diskWith('/a', '/b');
    disk.writeFile('/a/meta.properties', META);
    const { clusterId, directoryIds } = identifyOn(disk, ['/a', '/b']);
    expect([clusterId, directoryIds.get('/a')]).toEqual(['AAAAAAAAAAAAAAAAAAABBA', 'abcdefghijklmnopqrstug']);
    expect(disk.readFile('/b/meta.properties')?.toString()).toContain('cluster.id=AAAAAAAAAAAAAAAAAAABBA');
  });
});
