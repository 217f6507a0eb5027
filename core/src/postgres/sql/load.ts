import type { Pool } from 'pg';
import { seqsOf } from '../../engine/decisions/due.ts';
import type { ChunkLease } from '../../engine/store.ts';
import { intArray } from './array-literal.ts';

/**
 * The payloads of a chunk's jobs, as texts that are parsed one by one. Joined into one value by the
 * database they took four times as long to fetch (docs/decisions/0007).
 */
export function loadStatement(pool: Pool, s: string) {
  const select = (where: string) =>
    `SELECT payload::text FROM ${s}.jobs WHERE batch_id = $1 AND ${where} ORDER BY seq`;
  const byRange = select('seq >= $2 AND seq < $3');
  const byList = select('seq = ANY($2::int[])');
  return async (lease: ChunkLease): Promise<Map<number, Record<string, unknown>>> => {
    const { jobs, batchId } = lease;
    const query =
      jobs.seqs === undefined
        ? { name: 'bs_load_range', text: byRange, values: [batchId, jobs.first, jobs.end] }
        : { name: 'bs_load_list', text: byList, values: [batchId, intArray(jobs.seqs)] };
    const { rows } = await pool.query<[string]>({ ...query, rowMode: 'array' });
    if (rows.length !== lease.size) {
      throw new Error(`Chunk ${lease.chunkId} holds ${lease.size} jobs, ${rows.length} of them exist`);
    }
    const bySeq = new Map<number, Record<string, unknown>>();
    let index = 0;
    for (const seq of seqsOf(jobs)) bySeq.set(seq, JSON.parse((rows[index++] as [string])[0]));
    return bySeq;
  };
}
