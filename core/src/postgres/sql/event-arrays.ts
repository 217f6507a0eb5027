import type { NewEvent } from '../../engine/store.ts';
import { intArray, textArray, wordArray } from './array-literal.ts';

/**
 * Three parameters for `insertEvents`: positions, kinds, data. Most flushes are long and say the same of
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

/** Numbers that one `nextval` hands out: as many events may be written by one statement (migration 9). */
export const EVENT_IDS = 65_536;

/**
 * Inserts the events of the parameters from `$first` on for the row of `c (batch_id, attempt)`. They share one call of the
 * sequence, which is made when `c` has its lock: later flushes of a chunk have greater ids. `unnest` fills up short arrays
 * with NULL.
 */
export function insertEvents(s: string, first: number): string {
  const kinds = `$${first + 1}::text[]`;
  return `
  INSERT INTO ${s}.job_events (id, batch_id, seq, attempt, kind, data)
  WITH numbered AS MATERIALIZED (
    SELECT batch_id, attempt, nextval('${s.replaceAll("'", "''")}.job_event_ids') AS first_id FROM c
  )
  SELECT c.first_id + e.n - 1, c.batch_id, e.seq, c.attempt, coalesce(e.kind, (${kinds})[1]), e.data
  FROM numbered AS c, unnest($${first}::int[], ${kinds}, $${first + 2}::json[]) WITH ORDINALITY AS e (seq, kind, data, n)`;
}
