import { PROVING } from '../../engine/decisions/delivery.ts';

/** Kinds that settle a job, or unsettle it again. The latest of them is its state. */
export const OUTCOME_KINDS = `('succeeded', 'failed', 'unknown', 'cancelled', 'resolved', 'reopened')`;

/** Kinds that fence an attempt or close it. All others stand aside: receipts, `late`, `resolved`, `reopened`. */
export const ATTEMPT_KINDS = `('attempted', 'released', 'succeeded', 'failed', 'unknown', 'cancelled', 'retried', 'postponed')`;

/** Receipts that only a job that was sent can have. */
export const PROVING_KINDS = `(${[...PROVING].map((kind) => `'${kind}'`).join(', ')})`;

/** The state that an event of one of these kinds means; null for `reopened`. */
export const stateOf = (alias: string): string =>
  `CASE ${alias}.kind WHEN 'resolved' THEN coalesce(${alias}.data->>'outcome', 'succeeded') WHEN 'reopened' THEN NULL ELSE ${alias}.kind END`;

/** The positions of a chunk row aliased `c`, as a set `m (seq)`. */
export const MEMBERS = `LATERAL (
    SELECT unnest(c.seqs) AS seq WHERE c.seqs IS NOT NULL
    UNION ALL SELECT generate_series(c.first_seq, c.end_seq - 1) WHERE c.seqs IS NULL
  ) AS m`;
