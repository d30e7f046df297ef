import { codec } from '../../../protocol/compile.ts';
import { ConsumerProtocolSubscription } from '../../../protocol/groups/consumer-protocol.ts';
import { MalformedError } from '../../../protocol/malformed.ts';
import { Reader } from '../../../protocol/reader.ts';

/** The protocol type of consumers; only theirs is understood by the broker. */
export const CONSUMER_PROTOCOL_TYPE = 'consumer';

/**
 * The topics in the metadata of consumers' strategies. Only the fields of version 0 are read, which begin every later
 * version, so that a newer consumer is understood too. Null where one of them is not in that form.
 */
export function subscribedTopics(metadata: Iterable<Buffer>): ReadonlySet<string> | null {
  const topics = new Set<string>();
  try {
    for (const one of metadata) {
      const reader = new Reader(one);
      reader.int16();
      for (const topic of codec(ConsumerProtocolSubscription, 0).read(reader).topics) topics.add(topic);
    }
  } catch (error) {
    if (error instanceof MalformedError) return null;
    throw error;
  }
  return topics;
}
