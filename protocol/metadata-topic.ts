/** The topic, of one partition, that holds the metadata log (KIP-500). Its id is `METADATA_TOPIC_ID` (uuid.ts). */
export const METADATA_TOPIC = '__cluster_metadata';
