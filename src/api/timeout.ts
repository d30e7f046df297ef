import { KafkaError } from '../../protocol/errors.ts';

/**
 * A request to the controller that leaves it no time is over before it begins: nothing is changed. One that asks the
 * controller for nothing, since all of it is refused before, is answered as ever.
 */
export function checkHasTime(timeoutMs: number, asksForAnything: () => boolean = () => true): void {
  if (timeoutMs <= 0 && asksForAnything()) throw new KafkaError('REQUEST_TIMED_OUT');
}

/** Whether any name is given just once: what is named twice is refused without the controller. */
export function namesAnyOnce(names: readonly string[]): boolean {
  const times = new Map<string, number>();
  for (const name of names) times.set(name, (times.get(name) ?? 0) + 1);
  return [...times.values()].includes(1);
}
