import { NO_TALLIES } from '../decisions/tallies.ts';
import type { LeasedRange } from '../host-store.ts';
import type { ChunkLease } from '../store.ts';

/** The lease of a chunk that was made under it. */
export function newLease(batchId: string, [chunkId, first, end]: LeasedRange): ChunkLease {
  return {
    chunkId,
    batchId,
    epoch: 1,
    flushNo: 0,
    attempt: 1,
    spent: 0,
    deaths: 0,
    interrupted: false,
    uncertain: false,
    jobs: { first, end },
    size: end - first,
    tallies: NO_TALLIES,
    ageMs: 0,
    firstLeaseAgeMs: 0,
  };
}
