/** Topics that the broker itself writes (org.apache.kafka.common.internals.Topic). */
export const OFFSETS_TOPIC = '__consumer_offsets';
export const TRANSACTION_STATE_TOPIC = '__transaction_state';
const INTERNAL = new Set([OFFSETS_TOPIC, TRANSACTION_STATE_TOPIC, '__share_group_state']);

export const isInternalTopic = (name: string): boolean => INTERNAL.has(name);
