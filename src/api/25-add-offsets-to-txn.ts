import { AddOffsetsToTxnRequest, AddOffsetsToTxnResponse } from '../../protocol/messages/25-add-offsets-to-txn.ts';
import { andThen } from '../coordinator/eventually.ts';
import { OFFSETS_TOPIC } from '../coordinator/topics.ts';
import { PartitionSet } from '../transaction/coordinator/partition-set.ts';
import { handler } from './handler.ts';
import { fencedCode } from './producer-fenced.ts';

const PRODUCER_FENCED_VERSION = 2;

/** AddOffsetsToTxn: the partition that keeps a group's offsets joins a transaction, by the protocol before KIP-890. */
export const addOffsetsToTxn = handler({
  request: AddOffsetsToTxnRequest,
  response: AddOffsetsToTxnResponse,
  versions: [0, 4],

  handle({ broker, apiVersion }, { transactionalId, producerId, producerEpoch, groupId }) {
    const partitions = PartitionSet.of([{ topic: OFFSETS_TOPIC, partition: broker.groups.partitionFor(groupId) }]);
    const added = broker.transactions.addPartitions({ transactionalId, producerId, producerEpoch, partitions }, 0);
    return andThen(added, (code) => ({ errorCode: fencedCode(code, apiVersion, PRODUCER_FENCED_VERSION) }));
  },

  failed: (_request, errorCode) => ({ errorCode }),
});
