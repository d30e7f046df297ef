/** The internal topics that coordinators keep their state in (org.apache.kafka.common.internals.Topic). */
export const OFFSETS_TOPIC = '__consumer_offsets';
export const TRANSACTION_STATE_TOPIC = '__transaction_state';
export const SHARE_STATE_TOPIC = '__share_group_state';

const INTERNAL: ReadonlySet<string> = new Set([OFFSETS_TOPIC, TRANSACTION_STATE_TOPIC, SHARE_STATE_TOPIC]);

/** Whether only the broker itself writes the topic. */
export const isInternalTopic = (name: string): boolean => INTERNAL.has(name);
