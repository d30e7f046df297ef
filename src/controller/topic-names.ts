/** What a topic may be called (org.apache.kafka.common.internals.Topic). */
const MAX_LENGTH = 249;
const LEGAL = /^[a-zA-Z0-9._-]+$/;

/** What is wrong with the name, in Kafka's words; null where it may be used. */
export function topicNameProblem(name: string): string | null {
  const prefix = 'Topic name is invalid: ';
  if (name === '') return `${prefix}the empty string is not allowed`;
  if (name === '.' || name === '..') return `${prefix}'${name}' is not allowed`;
  if (name.length > MAX_LENGTH) {
    return `${prefix}the length of '${name}' is longer than the max allowed length ${MAX_LENGTH}`;
  }
  if (LEGAL.test(name)) return null;
  return `${prefix}'${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`;
}

/** Names that differ only in '.' and '_' would share the names of their metrics, so Kafka refuses the second. */
export function unifyCollisionChars(name: string): string {
  return name.replaceAll('.', '_');
}

export const hasCollisionChars = (name: string): boolean => name.includes('.') || name.includes('_');
