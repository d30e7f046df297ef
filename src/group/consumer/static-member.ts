/** Static members of consumer groups (KIP-345): those that come back under their instance id as another member. */
import { KafkaError } from '../../../protocol/errors.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import type { ConsumerMember } from './consumer-member.ts';
import type { ConsumerRecords } from './records.ts';

/** The member under its new id, which has all that the old one had; nobody else notices. */
export function replaceStaticMember(
  group: ConsumerGroup,
  old: ConsumerMember,
  memberId: string,
  records: ConsumerRecords,
): ConsumerMember {
  const member = { ...old, memberId, memberEpoch: 0, previousMemberEpoch: 0 };
  records.removeMember(old.memberId);
  records.member(member);
  records.targetMember(memberId, group.targetOf(old.memberId));
  records.current(member);
  return member;
}

/** Throws UNKNOWN_MEMBER_ID. */
export function requireKnown(member: ConsumerMember | null, instanceId: string): ConsumerMember {
  if (member === null) throw new KafkaError('UNKNOWN_MEMBER_ID', `Instance id ${instanceId} is unknown.`);
  return member;
}

/** Throws FENCED_INSTANCE_ID where the instance is another member by now. */
export function requireSameMember(member: ConsumerMember, memberId: string, instanceId: string): ConsumerMember {
  if (member.memberId === memberId) return member;
  const fenced = `Static member ${memberId} with instance id ${instanceId} was fenced by member ${member.memberId}.`;
  throw new KafkaError('FENCED_INSTANCE_ID', fenced);
}
