/** Topics that the broker itself writes (org.apache.kafka.common.internals.Topic). */
const INTERNAL = new Set(['__consumer_offsets', '__transaction_state', '__share_group_state']);

export const isInternalTopic = (name: string): boolean => INTERNAL.has(name);
