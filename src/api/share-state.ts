/** What the share state APIs (83 to 87) have in common: requests and responses by topic id and partition. */
import { andThen, type Eventually } from '../coordinator/eventually.ts';

interface StateRequest<P> {
  readonly groupId: string;
  readonly topics: readonly { readonly topicId: string; readonly partitions: readonly P[] }[];
}

interface Failed {
  readonly partition: number;
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

export interface Results<R> {
  readonly results: { topicId: string; partitions: R[] }[];
}

const NO_RESULTS: Results<never> = { results: [] };

/** A request without a group or without a partition gets an empty answer. */
export function isEmptyRequest({ groupId, topics }: StateRequest<unknown>): boolean {
  return groupId === '' || topics.length === 0 || topics.some(({ partitions }) => partitions.length === 0);
}

/** Asks for all partitions at once, and puts the results, which come in the order of the request, under their topics. */
export function perPartition<P, R>(
  request: StateRequest<P>,
  ask: (partitions: (P & { topicId: string })[]) => Eventually<R[]>,
): Eventually<Results<R>> {
  if (isEmptyRequest(request)) return NO_RESULTS;
  const wanted = request.topics.flatMap(({ topicId, partitions }) => partitions.map((p) => ({ ...p, topicId })));
  return andThen(ask(wanted), (results) => {
    let next = 0;
    return {
      results: request.topics.map(({ topicId, partitions }) => {
        const first = next;
        next += partitions.length;
        return { topicId, partitions: results.slice(first, next) };
      }),
    };
  });
}

/** The same failure for every partition of the request. */
export function failedEverywhere(
  request: StateRequest<{ readonly partition: number }>,
  errorCode: number,
  errorMessage: string | null,
): Results<Failed> {
  return {
    results: request.topics.map(({ topicId, partitions }) => ({
      topicId,
      partitions: partitions.map(({ partition }) => ({ partition, errorCode, errorMessage })),
    })),
  };
}
