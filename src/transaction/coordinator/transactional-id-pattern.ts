import { RE2JS, RE2JSSyntaxException } from 're2js';
import { KafkaError } from '../../../protocol/errors.ts';

/**
 * The ids that the pattern matches as a whole. Patterns are RE2's, as in Kafka: they never look back, so that none from a client
 * can keep the broker from its work. Throws INVALID_REGULAR_EXPRESSION.
 */
export function matchingIds(pattern: string, transactionalIds: readonly string[]): readonly string[] {
  const compiled = compile(pattern);
  return transactionalIds.filter((id) => compiled.matches(id));
}

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error;
    const text = `Transaction ID pattern \`${pattern}\` is not a valid regular expression: ${error.message}.`;
    throw new KafkaError('INVALID_REGULAR_EXPRESSION', text);
  }
}
