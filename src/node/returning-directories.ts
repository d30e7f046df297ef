import type { KraftController } from '../controller/kraft-controller.ts';
import type { Logger } from '../env.ts';
import type { Partitions } from '../partition/partitions.ts';
import type { MetadataFollower } from './follow-metadata.ts';
import type { LogDirectories } from './log-directories.ts';
import type { ReplicaMover } from './replica-mover.ts';

export interface ReturningOptions {
  readonly logs: LogDirectories;
  readonly controller: KraftController;
  readonly follower: MetadataFollower;
  readonly partitions: Partitions;
  readonly moves: ReplicaMover;
  readonly logger: Logger;
  /** The directory.id of each of these paths. Throws InvalidConfigError where one is another node's. */
  identify(paths: readonly string[]): ReadonlyMap<string, string>;
}

/** Takes up log directories that were full at the start, when they have room. */
export class ReturningDirectories {
  private readonly options: ReturningOptions;
  private isBusy = false;

  constructor(options: ReturningOptions) {
    this.options = options;
  }

  /** To be called now and then. */
  look(): void {
    if (this.isBusy) return;
    const { logs, logger, identify } = this.options;
    const directoryIds = logs.reopenFull(identify);
    if (directoryIds.length === 0) return;
    this.isBusy = true;
    const failed = (err: unknown) => logger.error({ directoryIds, err }, 'the log directories could not be taken up');
    this.takeUp(directoryIds)
      .catch(failed)
      .finally(() => {
        this.isBusy = false;
      });
  }

  /** As at a start: the files are checked, the logs opened, and then the partitions get leaders. */
  private async takeUp(directoryIds: readonly string[]): Promise<void> {
    const { logs, controller, follower, partitions, moves, logger } = this.options;
    await logs.checkFiles();
    follower.openAll(controller.image);
    await controller.directoriesOnline(directoryIds);
    follower.locate(controller.image.topics());
    moves.resume((topic, index) => partitions.get(topic, index));
    logger.info({ directoryIds }, 'there is room again: log directories are back');
  }
}
