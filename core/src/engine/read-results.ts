import type { Module } from '../plugin/index.ts';
import type { Batch } from './api.ts';
import { receiptsOf } from './decisions/delivery.ts';
import { schemaColumns } from './decisions/result-columns.ts';
import type { ReadStore, ResultBlock, ResultQuery } from './host-store.ts';
import type { BatchResults, ResultFilter, ResultRow } from './results.ts';

/**
 * Jobs of the first block, which should come soon, and of the largest one. With blocks of 2,000 a CSV export took
 * 40% more processor time (two runs each): the garbage collector copied what was alive for longer.
 */
const FIRST_BLOCK = 250;
const MAX_BLOCK = 1_000;

/** The export of a batch; `module` is that of its type, if it is installed. */
export async function batchResults(
  read: ReadStore,
  batch: Batch,
  module: Module | undefined,
  states: ResultFilter['states'],
): Promise<BatchResults> {
  const columns = (await read.columns(batch.id)) ?? schemaColumns(module?.payload);
  const receipts = receiptsOf(module?.receipts);
  const query = { batchId: batch.id, total: batch.counts.total, states, receipts };
  return { batch, columns, [Symbol.asyncIterator]: () => readResults(read.results, query) };
}

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
