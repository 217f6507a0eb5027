/**
 * Stores the jobs of a slice that are the first of their key, in the slice and in the batch, and
 * gives them positions without gaps. $1 batch, $2 first position, $3 payloads by line, $4 upload,
 * $5 keys (null: always stored). Answers whether the upload is alive, and what was stored. It
 * relies on one slice of a batch at a time: a key is new if nobody committed it before.
 */
export function keyedSliceText(s: string): string {
  return `
WITH u AS MATERIALIZED (SELECT 1 FROM ${s}.uploads WHERE id = $4 AND state = 'active' FOR SHARE),
r AS MATERIALIZED (
  SELECT t.n, t.line, t.hash, row_number() OVER (PARTITION BY t.hash ORDER BY t.n) AS nth
  FROM u, ROWS FROM (string_to_table($3::text, E'\\n'), unnest($5::uuid[])) WITH ORDINALITY AS t (line, hash, n)
), k AS (
  INSERT INTO ${s}.job_keys (batch_id, hash, upload_id)
  SELECT $1, hash, $4 FROM r WHERE hash IS NOT NULL AND nth = 1
  ON CONFLICT DO NOTHING RETURNING hash
), f AS MATERIALIZED (
  SELECT r.line, row_number() OVER (ORDER BY r.n) - 1 AS at FROM r LEFT JOIN k ON k.hash = r.hash
  WHERE r.hash IS NULL OR (r.nth = 1 AND k.hash IS NOT NULL)
), j AS (
  INSERT INTO ${s}.jobs (batch_id, seq, payload) SELECT $1, $2::int + at, line::json FROM f
)
SELECT EXISTS (SELECT 1 FROM u) AS alive, count(*)::int AS stored, coalesce(sum(length(line)), 0)::float8 AS bytes FROM f`;
}

/** Keys as a Postgres array literal. */
export const keyArray = (keys: readonly (string | null)[]): string =>
  `{${keys.map((key) => key ?? 'NULL').join(',')}}`;
