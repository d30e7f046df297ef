import { describe, expect, test } from 'vitest';
import {
  type MetaPropertiesDisk,
  readDirectories,
  readMetaProperties,
  writeMetaProperties,
} from '../../src/config/meta-properties.ts';

class Files implements MetaPropertiesDisk {
  readonly texts = new Map<string, string>();

  readFile(path: string): Buffer | null {
    const text = this.texts.get(path);
    return text === undefined ? null : Buffer.from(text);
  }

  writeFile(path: string, text: string): void {
    this.texts.set(path, text);
  }
}

const META = { clusterId: 'xWcTM3-yQxKnheAUjfHFfw', nodeId: 1, directoryId: 'ViyZZ-xG2smHYQv2f47ZGQ' };
const ANY_CLUSTER = { nodeId: 1, clusterId: null };

/** As Kafka 4.3.1 wrote it. */
const OF_KAFKA = `#
#Sat Nov 21 05:50:18 UTC 2026
node.id=1
directory.id=ViyZZ-xG2smHYQv2f47ZGQ
version=1
cluster.id=xWcTM3-yQxKnheAUjfHFfw
`;

function filesWith(text: string): Files {
  const files = new Files();
  files.writeFile('/d/meta.properties', text);
  return files;
}

describe('one directory', () => {
  test("reads Kafka's and writes the same", () => {
    const files = filesWith(OF_KAFKA);
    expect(readMetaProperties(files, '/d')).toEqual(META);
    writeMetaProperties(files, '/d/', META);
    expect(files.texts.get('/d/meta.properties')).toBe(OF_KAFKA.split('\n').slice(2).join('\n'));
  });

  test('an unused one is null; an older one has no directory id', () => {
    expect(readMetaProperties(new Files(), '/d')).toBeNull();
    const files = new Files();
    writeMetaProperties(files, '/d', { ...META, directoryId: null });
    expect(readMetaProperties(files, '/d')).toEqual({ ...META, directoryId: null });
  });

  test.each([
    ['broker.id=1\nversion=0', '/d/meta.properties is of version 0'],
    ['node.id=1', '/d/meta.properties is of version 0'],
    ['version=1\nnode.id=1', 'cluster.id was not specified in the v1 file: /d/meta.properties'],
    ['version=1\ncluster.id=x', 'node.id was not specified in /d/meta.properties'],
    ['version=1\ncluster.id=x\nnode.id=a', 'node.id that is no number: a'],
    ['version=1\ncluster.id=x\nnode.id=1\ndirectory.id=short', 'directory.id that is no UUID: short'],
    ['version=1\ncluster.id=x\nnode.id=1\ndirectory.id=AAAAAAAAAAAAAAAAAAAAAQ', 'reserved directory.id'],
  ])('%j is refused', (text, message) => {
    expect(() => readMetaProperties(filesWith(text), '/d')).toThrow(message);
  });
});

describe('all directories of a node', () => {
  const OTHER = 'AVirZZ-xG2smHYQv2f47ZQ';

  function two(second: Partial<typeof META>): Files {
    const files = new Files();
    writeMetaProperties(files, '/a', META);
    writeMetaProperties(files, '/b', { ...META, directoryId: OTHER, ...second });
    return files;
  }

  test('belong together', () => {
    const files = two({});
    expect(readDirectories(files, ['/a', '/new', '/b'], ANY_CLUSTER)).toEqual([
      META,
      null,
      { ...META, directoryId: OTHER },
    ]);
  });

  test.each([
    [
      { clusterId: 'other' },
      'Invalid cluster.id in: /b/meta.properties. Expected xWcTM3-yQxKnheAUjfHFfw, but read other',
    ],
    [{ nodeId: 2 }, '/b/meta.properties belongs to node 2, but node.id is 1.'],
    [{ directoryId: META.directoryId }, '/b and /a have the same directory.id'],
  ])('%j in the second is refused', (second, message) => {
    expect(() => readDirectories(two(second), ['/a', '/b'], ANY_CLUSTER)).toThrow(message);
  });

  test('another cluster than the one asked for is refused', () => {
    expect(() => readDirectories(two({}), ['/a'], { nodeId: 1, clusterId: 'mine' })).toThrow(
      'Invalid cluster.id in: /a/meta.properties. Expected mine, but read xWcTM3-yQxKnheAUjfHFfw',
    );
  });
});
