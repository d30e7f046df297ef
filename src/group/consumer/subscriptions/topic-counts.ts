import { type ConsumerMember, regexOf } from '../consumer-member.ts';

/** Who subscribes to a topic: so many members by its name, so many regular expressions. */
export interface SubscriptionCount {
  readonly byName: number;
  readonly byRegex: number;
}

/** The topics of a group's members and of their regular expressions, counted so that a change costs what changes. */
export class TopicCounts {
  /** By topic name; a topic that nobody subscribes to is not there. */
  readonly topics: Map<string, SubscriptionCount>;
  /** How many members have each regular expression. */
  readonly regexes: Map<string, number>;

  constructor(
    topics: Iterable<readonly [string, SubscriptionCount]> = [],
    regexes: Iterable<readonly [string, number]> = [],
  ) {
    this.topics = new Map(topics);
    this.regexes = new Map(regexes);
  }

  copy(): TopicCounts {
    return new TopicCounts(this.topics, this.regexes);
  }

  /** A member was `before` and is `after`; null where it was not there or is gone. */
  changeMember(before: ConsumerMember | null, after: ConsumerMember | null): void {
    for (const name of before?.subscribedTopicNames ?? []) this.add(name, -1, 0);
    for (const name of after?.subscribedTopicNames ?? []) this.add(name, 1, 0);
    this.addRegex(regexOf(before), -1);
    this.addRegex(regexOf(after), 1);
  }

  /** A regular expression matched `before` and matches `after`. */
  changeRegex(before: Iterable<string>, after: Iterable<string>): void {
    for (const name of before) this.add(name, 0, -1);
    for (const name of after) this.add(name, 0, 1);
  }

  /** Whether all of so many members subscribe to the same topics. */
  isHomogeneous(memberCount: number): boolean {
    const counts = [...this.topics.values()];
    const [ofFirstRegex] = this.regexes.values();
    if (ofFirstRegex === undefined) return counts.every((count) => count.byName === memberCount);
    return ofFirstRegex === memberCount && counts.every((count) => count.byRegex === 1 && count.byName === 0);
  }

  private add(topic: string, names: number, regexes: number): void {
    const { byName, byRegex } = this.topics.get(topic) ?? { byName: 0, byRegex: 0 };
    const count = { byName: byName + names, byRegex: byRegex + regexes };
    if (count.byName === 0 && count.byRegex === 0) this.topics.delete(topic);
    else this.topics.set(topic, count);
  }

  private addRegex(regex: string | null, change: number): void {
    if (regex === null) return;
    const count = (this.regexes.get(regex) ?? 0) + change;
    if (count === 0) this.regexes.delete(regex);
    else this.regexes.set(regex, count);
  }
}
