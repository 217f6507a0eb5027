/** Kinds that settle a job, or unsettle it again. The latest of them is its state. */
export const OUTCOME_KINDS = `('succeeded', 'failed', 'unknown', 'cancelled', 'resolved', 'reopened')`;

/** Kinds that carry an attempt's number but neither fence nor close it. */
export const ASIDE = `('late', 'resolved', 'reopened')`;

/** The state that an event of one of these kinds means; null for `reopened`. */
export const stateOf = (alias: string): string =>
  `CASE ${alias}.kind WHEN 'resolved' THEN coalesce(${alias}.data->>'outcome', 'succeeded') WHEN 'reopened' THEN NULL ELSE ${alias}.kind END`;

/** The positions of a chunk row aliased `c`, as a set `m (seq)`. */
export const MEMBERS = `LATERAL (
    SELECT unnest(c.seqs) AS seq WHERE c.seqs IS NOT NULL
    UNION ALL SELECT generate_series(c.first_seq, c.end_seq - 1) WHERE c.seqs IS NULL
  ) AS m`;
