import type { ReadStore, ResultBlock, ResultQuery } from './host-store.ts';
import type { ResultRow } from './results.ts';

/** Jobs of the first block, which should come soon, and of the largest one. */
const FIRST_BLOCK = 250;
const MAX_BLOCK = 2_000;

/** Reads block after block, one ahead of the consumer. */
export async function* readResults(
  read: ReadStore['results'],
  query: Omit<ResultQuery, 'after' | 'limit'>,
): AsyncGenerator<readonly ResultRow[]> {
  let limit = FIRST_BLOCK;
  let coming = read({ ...query, after: -1, limit });
  for (;;) {
    const { rows, next, cutAt } = await coming;
    if (next !== null) {
      limit = nextLimit(limit, cutAt);
      coming = readAhead(read({ ...query, after: next, limit }));
    }
    if (rows.length > 0) yield rows;
    if (next === null) return;
  }
}

/** Blocks grow while they fit, and follow the size of the payloads when one was cut. */
export function nextLimit(limit: number, cutAt: number | undefined): number {
  return Math.min(MAX_BLOCK, 2 * Math.max(1, cutAt ?? limit));
}

function readAhead(block: Promise<ResultBlock>): Promise<ResultBlock> {
  // If the consumer stops before it is used, its failure is nobody's.
  block.catch(() => undefined);
  return block;
}
