import type { Kysely } from 'kysely';
import type { HeldChunk } from '../engine/decisions/job-summary.ts';
import type { Database } from './tables.ts';

/** The chunks of a batch that runners hold. */
export function heldChunks(db: Kysely<Database>, batchId: string): Promise<HeldChunk[]> {
  return db
    .selectFrom('chunks')
    .where('batch_id', '=', batchId)
    .where('state', '=', 'leased')
    .select(['attempt', 'first_seq', 'end_seq', 'seqs'])
    .execute();
}
