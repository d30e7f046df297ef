import type { MetadataImage } from '../../../controller/image.ts';

/** Since when the metadata has the topics that it has, found out by looking at one image after the other. */
export class NewTopics {
  private latest: MetadataImage | null = null;
  private since = -1;

  /** Offset of the first image that was looked at with all of the topics of this one. */
  sinceOffset(image: MetadataImage): number {
    if (this.latest !== image) {
      if (this.latest === null || hasNewTopic(this.latest, image)) this.since = image.offset;
      this.latest = image;
    }
    return this.since;
  }
}

function hasNewTopic(before: MetadataImage, after: MetadataImage): boolean {
  for (const { id } of after.topics()) if (before.topicById(id) === undefined) return true;
  return false;
}
