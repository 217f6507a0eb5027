/** A chunk has work for so many calls. */
const CALLS = 10;
/** For the sake of that it has at most so many times the usual number of jobs. */
const MOST = 4;

/**
 * Jobs in a chunk for a provider that takes `batchSize` jobs a call: some whole calls, and one at least. `usual` is
 * the number where a call has one job (docs/decisions/0035).
 */
export function chunkSizeFor(batchSize: number, usual: number): number {
  if (batchSize === 1) return usual;
  const wanted = Math.max(usual, Math.min(batchSize * CALLS, usual * MOST));
  return Math.max(batchSize, Math.floor(wanted / batchSize) * batchSize);
}
