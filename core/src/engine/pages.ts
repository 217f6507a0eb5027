import type { Batch, BatchState, JobState, JobSummary, Page, PageOptions, Tenant } from './api.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import type { ReadStore, ReceiptsOf } from './host-store.ts';
import { UUID } from './ids.ts';

/** Which batches a page shows. */
export type BatchFilter = Tenant &
  PageOptions & { type?: string; state?: BatchState; includeSingle?: boolean };

/** A page of a tenant's batches, the newest first. */
export async function pageOfBatches(
  read: ReadStore,
  tenantId: string,
  { type, state, includeSingle = false, cursor, limit: asked }: BatchFilter,
): Promise<Page<Batch>> {
  const limit = pageLimit(asked);
  const before = decodeCursor(cursor, UUID);
  const items = await read.batches(tenantId, {
    includeSingle,
    limit: limit + 1,
    ...(type === undefined ? {} : { type }),
    ...(state === undefined ? {} : { state }),
    ...(before === undefined ? {} : { before }),
  });
  const page = items.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page,
    nextCursor: items.length > limit && last !== undefined ? encodeCursor(last.id) : null,
  };
}

/** A page of a batch's jobs, in the order of their submission. */
export async function pageOfJobs(
  read: ReadStore,
  tenantId: string,
  batchId: string,
  filter: PageOptions & { state?: JobState },
  receiptsOf: ReceiptsOf,
): Promise<Page<JobSummary>> {
  const after = Number(decodeCursor(filter.cursor, /^\d{1,9}$/) ?? -1);
  const state = filter.state === undefined ? {} : { state: filter.state };
  const query = { ...state, limit: pageLimit(filter.limit), after };
  const page = await read.jobs(tenantId, batchId, query, receiptsOf);
  return { items: page.items, nextCursor: page.next === null ? null : encodeCursor(page.next) };
}

/** A page of a list that has numbers for ids, the newest first. */
export async function newestPage<T extends { readonly id: number }>(
  { cursor, limit: asked }: PageOptions,
  read: (query: { readonly limit: number; readonly before?: number }) => Promise<readonly T[]>,
): Promise<Page<T>> {
  const limit = pageLimit(asked);
  const before = decodeCursor(cursor, /^\d{1,15}$/);
  const rows = await read({ limit: limit + 1, ...(before === undefined ? {} : { before: Number(before) }) });
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last !== undefined ? encodeCursor(last.id) : null };
}

function pageLimit(limit = 100): number {
  return Math.min(1_000, Math.max(1, Math.floor(limit)));
}
