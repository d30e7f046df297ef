/** UUIDs as Kafka prints them: 16 bytes in 22 characters of unpadded, URL-safe base64. */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA';
/** Reserved for the metadata topic `__cluster_metadata` (KIP-516). */
export const METADATA_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ';
