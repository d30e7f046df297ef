/**
 * Members may subscribe by regular expression: RE2's, which a broker can match in linear time whatever they are. They are
 * matched behind the heartbeat's answer, all of a group together, and the topics are kept in the log, so that a heartbeat
 * costs no matching.
 */
import { RE2JS, RE2JSSyntaxException } from 're2js';
import { KafkaError } from '../../../../protocol/errors.ts';
import type { MetadataImage } from '../../../controller/image.ts';
import { DONE, type Outcome } from '../../../coordinator/state-machine.ts';
import type { GroupShard } from '../../group-shard.ts';
import type { GroupRecord } from '../../records.ts';
import type { ConsumerGroup } from '../consumer-group.ts';
import { isSameSet, regexOf } from '../consumer-member.ts';
import { ConsumerRecords } from '../records.ts';
import type { MemberChange } from '../target-assignment.ts';
import { isRegexScheduled, scheduleRegex } from '../timers.ts';

/** Of a member's expression: the same as before; another one that is yet to be matched; or one whose topics are known. */
export type RegexChange = 'none' | 'unresolved' | 'resolved';

/** Whatever happens, expressions are not matched more often. */
const REFRESH_MIN_INTERVAL_MS = 10_000;

/**
 * Notes what a change of the member's expression means for the others, and has the group's expressions matched where that is
 * due. Throws INVALID_REGULAR_EXPRESSION.
 */
export function followRegexes(
  shard: GroupShard,
  group: ConsumerGroup,
  { before, after }: MemberChange,
  records: ConsumerRecords,
  nowMs: number,
): RegexChange {
  const counts = group.subscriptions.regexes;
  const [old, next] = [regexOf(before), regexOf(after)];
  const isChanged = before.subscribedTopicRegex !== after.subscribedTopicRegex;
  if (isChanged && old !== null && counts.get(old) === 1) records.regex(old, null);
  const isNew = isChanged && next !== null && !counts.has(next);
  if (isNew) requireValidRegex(next);
  const change = isChanged ? changeTo(group, old, next) : 'none';
  if (!isNew && counts.size === 0) return change;
  if (isRegexScheduled(shard, group.groupId)) return change;
  const latest = latestResolution(group);
  const resolvedMs = latest?.timestampMs ?? Number.NEGATIVE_INFINITY;
  if (nowMs <= resolvedMs + REFRESH_MIN_INTERVAL_MS) return change;
  const expected = group.subscriptions.copy();
  expected.changeMember(before, after);
  const regexes = [...expected.regexes.keys()];
  const isDue =
    isNew ||
    regexes.length !== group.resolvedRegexes.size ||
    (latest?.version ?? 0) < shard.newTopics.sinceOffset(shard.env.image()) ||
    nowMs > resolvedMs + shard.config.get('group.consumer.regex.refresh.interval.ms');
  if (isDue && regexes.length > 0) scheduleRegex(shard, group.groupId, regexes);
  return change;
}

function changeTo(group: ConsumerGroup, old: string | null, next: string | null): RegexChange {
  if (next === null) return old === null ? 'unresolved' : 'resolved';
  const isKnown = group.subscriptions.regexes.has(next) && group.resolvedRegexes.has(next);
  return isKnown ? 'resolved' : 'unresolved';
}

/** All expressions of a group are resolved together: any of them tells when. */
function latestResolution(group: ConsumerGroup) {
  const [latest] = group.resolvedRegexes.values();
  return latest;
}

/** Matches the expressions against the topics there are, and has the group follow. */
export function resolveRegexes(
  shard: GroupShard,
  group: ConsumerGroup,
  regexes: readonly string[],
  nowMs: number,
): Outcome<GroupRecord, void> {
  const image = shard.env.image();
  const records = new ConsumerRecords(group.groupId);
  const counts = group.subscriptions.copy();
  let bump = false;
  for (const regex of regexes) {
    if (!counts.regexes.has(regex)) continue;
    const topics = matchingTopics(shard, image, regex);
    const known = group.resolvedRegexes.get(regex)?.topics ?? new Set<string>();
    if (!isSameSet(known, topics)) {
      bump = true;
      counts.changeRegex(known, topics);
    }
    records.regex(regex, { topics, version: image.offset, timestampMs: nowMs });
  }
  const hash = group.hashOf(image, counts);
  if (bump || hash !== group.metadataHash) {
    const groupEpoch = group.groupEpoch + 1;
    records.group(groupEpoch, hash);
    group.noteMetadata(image, groupEpoch, counts.topics.keys());
  }
  if (records.list.length === 0) return DONE;
  shard.env.logger.info({ groupId: group.groupId, regexes: regexes.length }, 'regular expressions are resolved');
  return { records: records.list, response: undefined };
}

/** The names that the expression matches as a whole; internal topics too, as Kafka has it. */
function matchingTopics(shard: GroupShard, image: MetadataImage, regex: string): ReadonlySet<string> {
  const topics = new Set<string>();
  try {
    const pattern = RE2JS.compile(regex);
    for (const { name } of image.topics()) if (pattern.matches(name)) topics.add(name);
  } catch (error) {
    // it was good when the member joined; in a log of another broker it may be one that we cannot read
    shard.env.logger.error({ regex, err: error }, 'a regular expression matches no topic: it cannot be read');
  }
  return topics;
}

/** Throws INVALID_REGULAR_EXPRESSION. */
function requireValidRegex(regex: string): void {
  try {
    RE2JS.compile(regex);
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error;
    throw new KafkaError(
      'INVALID_REGULAR_EXPRESSION',
      `SubscribedTopicRegex \`${regex}\` is not a valid regular expression: ${error.getDescription()}.`,
    );
  }
}
