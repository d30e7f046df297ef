/** The internal topics that coordinators keep their state in. */
export const OFFSETS_TOPIC = '__consumer_offsets';
export const SHARE_STATE_TOPIC = '__share_group_state';
