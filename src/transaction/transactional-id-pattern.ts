import { runInNewContext } from 'node:vm';
import { KafkaError } from '../../protocol/errors.ts';

/** A pattern comes from a client: none may keep the broker from its work for longer. */
const TIMEOUT_MS = 100;
/** What RE2 does not know, and Kafka therefore refuses: looking around and back. */
const NOT_IN_RE2 = /\(\?(?:[=!]|<[=!])|\\[1-9]/;

/**
 * The ids that match the pattern as a whole. Kafka's patterns are RE2's; those of JavaScript are close to them. Throws
 * INVALID_REGULAR_EXPRESSION.
 */
export function matchingIds(pattern: string, transactionalIds: readonly string[]): readonly string[] {
  if (NOT_IN_RE2.test(pattern)) throw invalid(pattern, 'invalid or unsupported Perl syntax');
  try {
    const matches = `const whole = new RegExp('^(?:' + pattern + ')$', 'su'); JSON.stringify(ids.map((id) => whole.test(id)))`;
    const context = { pattern, ids: [...transactionalIds] };
    const found = JSON.parse(runInNewContext(matches, context, { timeout: TIMEOUT_MS })) as boolean[];
    return transactionalIds.filter((_, i) => found[i]);
  } catch (error) {
    throw invalid(pattern, error instanceof Error || hasMessage(error) ? error.message : String(error));
  }
}

/** Errors of another context are no instances of ours. */
const hasMessage = (error: unknown): error is { message: string } =>
  typeof error === 'object' && error !== null && 'message' in error;

function invalid(pattern: string, reason: string): KafkaError {
  const text = `Transaction ID pattern \`${pattern}\` is not a valid regular expression: ${reason}.`;
  return new KafkaError('INVALID_REGULAR_EXPRESSION', text);
}
