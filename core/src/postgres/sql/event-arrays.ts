import type { NewEvent } from '../../engine/store.ts';
import { intArray, textArray, wordArray } from './array-literal.ts';

/**
 * Three parameters for `newEvents`: positions, kinds, data. Most flushes are long and say the same of
 * every job: then the kind stands there once and no data at all, which is half the work to write and read.
 */
export function eventArrays(events: readonly NewEvent[]): [seqs: string, kinds: string, data: string] {
  const kind = events[0]?.kind;
  const sameKind = kind !== undefined && events.every((event) => event.kind === kind);
  const noData = events.every((event) => event.data === null);
  return [
    intArray(events.map((event) => event.seq)),
    sameKind ? wordArray([kind]) : wordArray(events.map((event) => event.kind)),
    noData ? '{}' : textArray(events.map((event) => event.data)),
  ];
}

/** The rows `e (seq, kind, data)` of the parameters from `$first` on; `unnest` fills up short arrays with NULL. */
export function newEvents(first: number): string {
  const kinds = `$${first + 1}::text[]`;
  return `(SELECT seq, coalesce(kind, (${kinds})[1]) AS kind, data
    FROM unnest($${first}::int[], ${kinds}, $${first + 2}::json[]) AS given (seq, kind, data)) AS e`;
}
