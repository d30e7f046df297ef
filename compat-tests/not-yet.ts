/**
 * What Apache Kafka 4.3.1 does and odradek does not yet (docs/compatibility.md): the one place where a check may differ between the two.
 * The lists only shrink: a check fails when something in them works.
 */

/** APIs by key that odradek does not serve, with the versions that Kafka advertises. */
export const notYetServed: ReadonlyMap<number, { name: string; versions: string }> = new Map([
  [24, { name: 'AddPartitionsToTxn', versions: '0-5' }],
  [25, { name: 'AddOffsetsToTxn', versions: '0-4' }],
  [26, { name: 'EndTxn', versions: '0-5' }],
  [27, { name: 'WriteTxnMarkers', versions: '1-2' }],
  [28, { name: 'TxnOffsetCommit', versions: '0-5' }],
  [65, { name: 'DescribeTransactions', versions: '0-0' }],
  [66, { name: 'ListTransactions', versions: '0-2' }],
  [68, { name: 'ConsumerGroupHeartbeat', versions: '0-1' }],
  [69, { name: 'ConsumerGroupDescribe', versions: '0-1' }],
  [88, { name: 'StreamsGroupHeartbeat', versions: '0-0' }],
  [89, { name: 'StreamsGroupDescribe', versions: '0-0' }],
]);
