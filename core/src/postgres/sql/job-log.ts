import { RUN_SPAN } from './fence-runs.ts';

/**
 * The log of jobs as a set `(id, seq, attempt, kind, at, data)`, to stand in a FROM: rows of one event, and fences, of
 * which a row stands for many. The view `job_events` is the same, but reads all fences of a batch to find those of a job.
 */
const log = (s: string, batch: string, ofRows: string, runs: string, ofRuns: string): string => `(
  SELECT id, seq, attempt, kind, at, data FROM ${s}.job_event_rows WHERE batch_id = ${batch} AND ${ofRows}
  UNION ALL
  SELECT f.id, m.seq, f.attempt, 'attempted', f.at, f.data FROM ${s}.job_fences AS f, ${runs} AS m (seq)
  WHERE f.batch_id = ${batch} AND ${ofRuns}
)`;

/** The log of one job; behind `LATERAL` if `batch` and `seq` are columns. */
export const jobLog = (s: string, batch: string, seq: string): string =>
  log(
    s,
    batch,
    `seq = ${seq}`,
    `(VALUES (${seq}))`,
    `f.seq > ${seq} - ${RUN_SPAN} AND f.seq <= ${seq} AND f.end_seq > ${seq}`,
  );

/** The log of the jobs from `first` to before `end`. */
export const rangeLog = (s: string, batch: string, first: string, end: string): string =>
  log(
    s,
    batch,
    `seq >= ${first} AND seq < ${end}`,
    `generate_series(greatest(f.seq, ${first}), least(f.end_seq, ${end}) - 1)`,
    `f.seq > ${first} - ${RUN_SPAN} AND f.seq < ${end}`,
  );

/** The log of the jobs whose positions are in the array `seqs`, each of them once. */
export const listLog = (s: string, batch: string, seqs: string): string => `(
  SELECT l.* FROM unnest(${seqs}) AS listed (seq), LATERAL ${jobLog(s, batch, 'listed.seq')} AS l
)`;
