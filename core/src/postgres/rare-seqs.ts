import { type Kysely, sql } from 'kysely';
import type { JobState } from '../engine/api.ts';
import type { Database } from './tables.ts';

/** States whose events are in the partial index of the rare kinds. */
export type RareState = 'failed' | 'unknown' | 'cancelled';

const KINDS: { readonly [state in RareState]: readonly string[] } = {
  failed: ['failed', 'resolved'],
  unknown: ['unknown'],
  cancelled: ['cancelled'],
};

export const isRare = (state: JobState): state is RareState => Object.hasOwn(KINDS, state);

/**
 * The next jobs that ever were in one of these states; whether they still are is for the caller to
 * find out. Each kind is read in the order of its index, so that a page never sorts all of them.
 */
export async function rareSeqs(
  db: Kysely<Database>,
  schema: string,
  batchId: string,
  { states, after, limit }: { states: readonly RareState[]; after: number; limit: number },
): Promise<number[]> {
  const events = sql.id(schema, 'job_event_rows');
  const kinds = [...new Set(states.flatMap((state) => KINDS[state]))];
  // Literals: a parameter would hide from the planner that the index holds these kinds.
  const lists = kinds.map(
    (kind) => sql`(SELECT DISTINCT seq FROM ${events} WHERE batch_id = ${batchId} AND kind = ${sql.lit(kind)}
      AND seq > ${after}::int ORDER BY seq LIMIT ${limit})`,
  );
  const { rows } = await sql<{ seq: number }>`
    SELECT seq FROM (${sql.join(lists, sql` UNION `)}) AS rare ORDER BY seq LIMIT ${limit}`.execute(db);
  return rows.map((row) => row.seq);
}
