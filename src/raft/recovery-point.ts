/**
 * How far the metadata log is on disk for good: `recovery-point-offset-checkpoint` beside it, in Kafka's form. Kafka's own broker keeps
 * none for this log and does not look at the file.
 */
import { METADATA_TOPIC } from '../../protocol/metadata-topic.ts';
import { checkpointText, RECOVERY_POINT_CHECKPOINT, readOffsetCheckpoint } from '../../storage/checkpoints.ts';
import { type Disk, DiskError, type StorageLogger } from '../../storage/index.ts';

const PARTITION = 0;
const OFFSET_DIGITS = 20;

export class RecoveryPoint {
  private readonly disk: Disk;
  private readonly path: string;
  private readonly logger: StorageLogger;
  private noted = -1;

  constructor(disk: Disk, dir: string, logger: StorageLogger) {
    this.disk = disk;
    this.path = `${dir}/${RECOVERY_POINT_CHECKPOINT}`;
    this.logger = logger;
  }

  /** Null where nobody has noted it, or a power cut has taken what was noted. */
  read(): number | null {
    try {
      return readOffsetCheckpoint(this.disk, this.path).get(`${METADATA_TOPIC}-${PARTITION}`) ?? null;
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.logger.warn({ file: this.path, err: error }, 'the recovery point of the metadata log cannot be read');
      return null;
    }
  }

  /**
   * To be called with what is durable. A process that is killed leaves what it noted last, a power cut perhaps what was noted before, unless
   * it is noted `durably`. That it cannot be written is no reason to fail: what was noted before holds as well.
   */
  note(offset: number, durably = false): void {
    if (offset === this.noted && !durably) return;
    try {
      if (durably || this.noted < 0) this.disk.writeFile(this.path, textOf(offset), { durable: true });
      else this.overwrite(textOf(offset));
      this.noted = offset;
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.logger.warn({ file: this.path, err: error }, 'the recovery point of the metadata log cannot be written');
    }
  }

  /** In place, so that a power cut leaves one or the other: a new file might keep the name and lose the content. */
  private overwrite(text: string): void {
    const file = this.disk.open(this.path, 'existing');
    try {
      file.writeSync(Buffer.from(text), 0);
    } finally {
      file.close();
    }
  }
}

/** Always as long, and shorter than a sector. */
function textOf(offset: number): string {
  return checkpointText([`${METADATA_TOPIC} ${PARTITION} ${String(offset).padStart(OFFSET_DIGITS, '0')}`]);
}
