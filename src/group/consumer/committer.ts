/** Whether a member may commit or fetch offsets with the epoch that it says it is in. */
import { KafkaError } from '../../../protocol/errors.ts';
import type { Committer, OffsetCheck } from '../group.ts';
import type { ConsumerMember } from './consumer-member.ts';

/** From then on a client of the consumer protocol knows what its commits may be answered (KIP-848). */
const CONSUMER_PROTOCOL_VERSION = 9;

/**
 * In its present epoch a member may commit whatever it likes; in an earlier one the partitions that it has had since then,
 * which the check that is returned finds out. Throws what refuses the whole commit.
 */
export function offsetCheck(member: ConsumerMember, by: Committer): OffsetCheck | null {
  const epoch = by.generationIdOrMemberEpoch;
  if (!by.isTransactional && member.classic === null && by.apiVersion < CONSUMER_PROTOCOL_VERSION) {
    const need = 'OffsetCommit version 9 or above must be used by members using the consumer group protocol';
    throw new KafkaError('UNSUPPORTED_VERSION', need);
  }
  if (epoch === member.memberEpoch) return null;
  const name = member.classic === null ? 'member epoch' : 'generation id';
  if (epoch > member.memberEpoch) {
    throw stale(member, `Received ${name} ${epoch} is newer than current member epoch ${member.memberEpoch}.`);
  }
  return (topicId, topic, partition) => {
    const since =
      member.assignedPartitions.get(topicId)?.get(partition) ??
      member.partitionsPendingRevocation.get(topicId)?.get(partition);
    if (since === undefined) {
      throw stale(member, `Partition ${topic}-${partition} is not assigned or pending revocation for member.`);
    }
    if (epoch < since) {
      const older = `is older than assignment epoch ${since} for partition ${topic}-${partition}.`;
      throw stale(member, `Received ${name} ${epoch} ${older}`);
    }
  };
}

/** Who fetches offsets as a member is to be in the present epoch. Throws STALE_MEMBER_EPOCH, ILLEGAL_GENERATION. */
export function requireFetcherEpoch(member: ConsumerMember, epoch: number): void {
  if (epoch === member.memberEpoch) return;
  const name = member.classic === null ? 'member epoch' : 'generation id';
  const expected = `does not match the expected member epoch ${member.memberEpoch}.`;
  throw stale(member, `The received ${name} ${epoch} ${expected}`);
}

function stale(member: ConsumerMember, message: string): KafkaError {
  return new KafkaError(member.classic === null ? 'STALE_MEMBER_EPOCH' : 'ILLEGAL_GENERATION', message);
}
