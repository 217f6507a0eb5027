import type { Pool } from 'pg';
import type { ChunkLease, ChunkPayloads, RunStore } from '../../engine/store.ts';
import type { JobPayload } from '../../plugin/index.ts';
import { intArray } from './array-literal.ts';

const parsed = (text: string | undefined): JobPayload | undefined =>
  text === undefined ? undefined : JSON.parse(text);

type WhatToLoad = Pick<ChunkLease, 'batchId' | 'jobs' | 'size'>;
type LoadStatements = Pick<RunStore, 'loadJobs' | 'loadEarly'>;

/** What was loaded before the lease came is needed at once, or somebody else has the chunk. */
const EARLY_MS = 1_000;

/**
 * The payloads of a chunk's jobs, as texts that are parsed one by one. Joined into one value by the
 * database they took four times as long to fetch (docs/decisions/0007).
 */
export function loadStatement(pool: Pool, s: string): LoadStatements {
  const select = (where: string) =>
    `SELECT payload::text FROM ${s}.jobs WHERE batch_id = $1 AND ${where} ORDER BY seq`;
  const byRange = select('seq >= $2 AND seq < $3');
  const byList = select('seq = ANY($2::int[])');
  const early = new Map<string, Promise<ChunkPayloads>>();
  const load = async (lease: WhatToLoad): Promise<ChunkPayloads> => {
    const { jobs, batchId } = lease;
    const query =
      jobs.seqs === undefined
        ? { name: 'bs_load_range', text: byRange, values: [batchId, jobs.first, jobs.end] }
        : { name: 'bs_load_list', text: byList, values: [batchId, intArray(jobs.seqs)] };
    const { rows } = await pool.query<[string]>({ ...query, rowMode: 'array' });
    if (rows.length !== lease.size) {
      throw new Error(`A chunk of batch ${batchId} holds ${lease.size} jobs, ${rows.length} of them exist`);
    }
    const texts = rows.map(([text]) => text);
    if (jobs.seqs !== undefined) {
      const bySeq = new Map(jobs.seqs.map((seq, index) => [seq, texts[index]]));
      return { get: (seq) => parsed(bySeq.get(seq)) };
    }
    const { first } = jobs;
    return { get: (seq) => parsed(texts[seq - first]) };
  };
  return {
    loadEarly(batchId, size) {
      const payloads = load({ batchId, size, jobs: { first: 0, end: size } });
      early.set(batchId, payloads);
      const forget = () => early.delete(batchId);
      setTimeout(forget, EARLY_MS).unref();
      payloads.catch(forget);
    },
    loadJobs(lease) {
      const { batchId, size, jobs } = lease;
      const payloads = early.get(batchId);
      // The chunk of a batch of its own: what is the first and as many as the batch has.
      const isWhole = payloads !== undefined && jobs.first === 0 && jobs.end === size;
      if (!isWhole) return load(lease);
      early.delete(batchId);
      return payloads.catch(() => load(lease));
    },
  };
}
