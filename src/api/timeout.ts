import { KafkaError } from '../../protocol/errors.ts';

/** A request to the controller that leaves it no time is over before it begins: nothing is changed. */
export function checkHasTime(timeoutMs: number): void {
  if (timeoutMs <= 0) throw new KafkaError('REQUEST_TIMED_OUT');
}
