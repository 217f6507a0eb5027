import type { Pool } from 'pg';
import { seqsOf } from '../../engine/decisions/due.ts';
import type { ChunkLease } from '../../engine/store.ts';
import { intArray } from './array-literal.ts';

/**
 * The payloads of a chunk's jobs, aggregated into one JSON array by the database and parsed
 * at once: a row a job costs twice as much. Its order is the order of the chunk's positions.
 */
export function loadStatement(pool: Pool, s: string) {
  const aggregate = (where: string) => `
SELECT '[' || string_agg(p, ',') || ']' AS payloads
FROM (SELECT payload::text AS p FROM ${s}.jobs WHERE batch_id = $1 AND ${where} ORDER BY seq) AS ordered`;
  const byRange = aggregate('seq >= $2 AND seq < $3');
  const byList = aggregate('seq = ANY($2::int[])');
  return async (lease: ChunkLease): Promise<Map<number, Record<string, unknown>>> => {
    const { jobs, batchId } = lease;
    const query =
      jobs.seqs === undefined
        ? { name: 'bs_load_range', text: byRange, values: [batchId, jobs.first, jobs.end] }
        : { name: 'bs_load_list', text: byList, values: [batchId, intArray(jobs.seqs)] };
    const { rows } = await pool.query<[string | null]>({ ...query, rowMode: 'array' });
    const payloads = JSON.parse(rows[0]?.[0] ?? '[]') as Record<string, unknown>[];
    if (payloads.length !== lease.size) {
      throw new Error(`Chunk ${lease.chunkId} holds ${lease.size} jobs, ${payloads.length} of them exist`);
    }
    const bySeq = new Map<number, Record<string, unknown>>();
    let index = 0;
    for (const seq of seqsOf(jobs)) bySeq.set(seq, payloads[index++] as Record<string, unknown>);
    return bySeq;
  };
}
