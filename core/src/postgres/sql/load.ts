import type { Pool } from 'pg';
import type { ChunkLease, ChunkPayloads } from '../../engine/store.ts';
import type { JobPayload } from '../../plugin/index.ts';
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
  return async (lease: ChunkLease): Promise<ChunkPayloads> => {
    const { jobs, batchId } = lease;
    const query =
      jobs.seqs === undefined
        ? { name: 'bs_load_range', text: byRange, values: [batchId, jobs.first, jobs.end] }
        : { name: 'bs_load_list', text: byList, values: [batchId, intArray(jobs.seqs)] };
    const { rows } = await pool.query<[string]>({ ...query, rowMode: 'array' });
    if (rows.length !== lease.size) {
      throw new Error(`Chunk ${lease.chunkId} holds ${lease.size} jobs, ${rows.length} of them exist`);
    }
    const payloads = rows.map(([text]): JobPayload => JSON.parse(text));
    if (jobs.seqs !== undefined) return new Map(jobs.seqs.map((seq, index) => [seq, payloads[index]]));
    const { first } = jobs;
    return { get: (seq) => payloads[seq - first] };
  };
}
