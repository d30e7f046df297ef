/** partition.metadata: which topic id the folder belongs to (KIP-516). */
import { type Disk, DiskError } from './disk.ts';

export const PARTITION_METADATA_FILE = 'partition.metadata';

const FILE_BYTES = 'version: 0\ntopic_id: '.length + 22;

/** The topic id (22 characters), or null when there is no file, or only a part or zeros of it, as a power cut can leave it. */
export function readTopicId(disk: Disk, dir: string): string | null {
  const path = `${dir}/${PARTITION_METADATA_FILE}`;
  const bytes = disk.readFile(path);
  if (bytes === null || bytes.length < FILE_BYTES || bytes.includes(0)) return null;
  const found = /^version: *0\s+topic_id: *([A-Za-z0-9_-]{22})\s*$/.exec(bytes.toString('utf8'));
  if (found === null) throw new DiskError('IO', path, 'malformed');
  return found[1];
}

/** The topic id, or null when it cannot be told: for a folder of which nobody knows whose it is. */
export function findTopicId(disk: Disk, dir: string): string | null {
  try {
    return readTopicId(disk, dir);
  } catch (error) {
    if (error instanceof DiskError) return null;
    throw error;
  }
}

/**
 * Makes the file, which is not there. Not durable, nor by way of a temporary file: it is made again from the metadata log when it is
 * lost, and a new partition must not wait for a disk.
 */
export function writeTopicId(disk: Disk, dir: string, topicId: string): void {
  const file = disk.open(`${dir}/${PARTITION_METADATA_FILE}`, 'create');
  try {
    file.writeSync(Buffer.from(`version: 0\ntopic_id: ${topicId}`), 0);
  } finally {
    file.close();
  }
}
