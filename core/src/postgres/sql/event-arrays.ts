import type { NewEvent } from '../../engine/store.ts';
import { intArray, jsonArray, wordArray } from './array-literal.ts';
import { type FenceRun, splitFences } from './fence-runs.ts';

/** Where the parameters of a statement's events begin; 0 without such events. */
export interface EventParameters {
  /** Events that have a row each: positions, kinds, data. */
  readonly events: number;
  /** Fences that share rows: first positions, ends, data. */
  readonly fences: number;
}

/** Adds a statement's events to its parameters, for `insertEvents`. */
export function addEvents(values: unknown[], all: readonly NewEvent[]): EventParameters {
  const { events, runs } = splitFences(all);
  const add = (arrays: readonly string[]) => values.push(...arrays) - arrays.length + 1;
  return {
    events: events.length === 0 ? 0 : add(rowArrays(events)),
    fences: runs.length === 0 ? 0 : add(runArrays(runs)),
  };
}

/**
 * Most flushes are long and say the same of every job: then the kind stands there once and no data at all,
 * which is half the work to write and read.
 */
function rowArrays(events: readonly NewEvent[]): [seqs: string, kinds: string, data: string] {
  const kind = events[0]?.kind;
  const sameKind = kind !== undefined && events.every((event) => event.kind === kind);
  const noData = events.every((event) => event.data === null);
  return [
    intArray(events.map((event) => event.seq)),
    sameKind ? wordArray([kind]) : wordArray(events.map((event) => event.kind)),
    noData ? '{}' : jsonArray(events.map((event) => event.data)),
  ];
}

const runArrays = (runs: readonly FenceRun[]): [seqs: string, ends: string, data: string] => [
  intArray(runs.map((run) => run.seq)),
  intArray(runs.map((run) => run.endSeq)),
  runs.every((run) => run.data === null) ? '{}' : jsonArray(runs.map((run) => run.data)),
];

/** Numbers that one `nextval` hands out: as many events may be written by one statement (migration 9). */
export const EVENT_IDS = 65_536;

/**
 * Inserts the events of a statement for the row of `c (batch_id, attempt)`. They share one call of the sequence, which is
 * made when `c` has its lock: later flushes of a chunk have greater ids. Fences come after the other events. `unnest`
 * fills up short arrays with NULL.
 */
export function insertEvents(s: string, { events, fences }: EventParameters): string {
  if (events === 0 && fences === 0) return '';
  const kinds = `$${events + 1}::text[]`;
  const before = events === 0 ? '0' : `cardinality($${events}::int[])`;
  const rows = `, e AS (
  INSERT INTO ${s}.job_event_rows (id, batch_id, seq, attempt, kind, data)
  SELECT c.first_id + e.n - 1, c.batch_id, e.seq, c.attempt, coalesce(e.kind, (${kinds})[1]), e.data
  FROM numbered AS c, unnest($${events}::int[], ${kinds}, $${events + 2}::json[]) WITH ORDINALITY AS e (seq, kind, data, n)
)`;
  const runs = `, fences AS (
  INSERT INTO ${s}.job_fences (id, batch_id, seq, end_seq, attempt, data)
  SELECT c.first_id + ${before} + f.n - 1, c.batch_id, f.seq, f.end_seq, c.attempt, f.data
  FROM numbered AS c,
    unnest($${fences}::int[], $${fences + 1}::int[], $${fences + 2}::json[]) WITH ORDINALITY AS f (seq, end_seq, data, n)
)`;
  return `, numbered AS MATERIALIZED (
  SELECT batch_id, attempt, nextval('${s.replaceAll("'", "''")}.job_event_ids') AS first_id FROM c
)${events === 0 ? '' : rows}${fences === 0 ? '' : runs}`;
}
