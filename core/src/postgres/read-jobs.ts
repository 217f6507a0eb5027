import { type Kysely, sql } from 'kysely';
import type { JobDetail, JobEventView, JobState, JobSummary } from '../engine/api.ts';
import type { Receipts } from '../engine/decisions/delivery.ts';
import { type HeldChunk, summarize } from '../engine/decisions/job-summary.ts';
import type { TimelineEvent } from '../engine/decisions/timeline.ts';
import type { ReadStore } from '../engine/host-store.ts';
import { heldChunks } from './held-chunks.ts';
import { quote } from './migrate.ts';
import { rareSeqs } from './rare-seqs.ts';
import { listLog } from './sql/job-log.ts';
import type { Database } from './tables.ts';

/** Windows of settled jobs that one page looks at before it answers what it has. */
const MAX_WINDOWS = 20;

type Filter = { state?: JobState; limit: number; after: number };
type BatchKey = { id: string; total: number; type: string };

/** Jobs with their states, folded from the log. Waiting ones are found through the open chunks. */
export function readJobs(db: Kysely<Database>, schema: string): Pick<ReadStore, 'jobs' | 'job'> {
  return {
    async jobs(tenantId, batchId, filter, receiptsOf) {
      const batch = await findBatch(db, tenantId, batchId);
      if (batch === undefined) return { items: [], next: null };
      return jobsPage(db, schema, { ...batch, receipts: receiptsOf(batch.type) }, filter);
    },
    async job(tenantId, batchId, seq, receiptsOf) {
      const batch = await findBatch(db, tenantId, batchId);
      if (batch === undefined || seq >= batch.total) return undefined;
      const row = await db
        .selectFrom('jobs')
        .where('batch_id', '=', batchId)
        .where('seq', '=', seq)
        .select('payload')
        .executeTakeFirst();
      if (row === undefined) return undefined;
      const events = await eventsOf(db, schema, batchId, [seq]);
      const receipts = receiptsOf(batch.type);
      const [summary] = await summaries(db, schema, { id: batchId, receipts }, [seq], events);
      return summary === undefined
        ? undefined
        : detail(summary, batch.type, row.payload, events.get(seq) ?? []);
    },
  };
}

/** Looks at window after window until the page is full, or for as long as a request may take. */
async function jobsPage(
  db: Kysely<Database>,
  schema: string,
  batch: BatchKey & { receipts: Receipts },
  filter: Filter,
): Promise<{ items: JobSummary[]; next: number | null }> {
  const items: JobSummary[] = [];
  let { after } = filter;
  for (let window = 0; window < MAX_WINDOWS; window++) {
    const seqs = await nextSeqs(db, schema, batch, { ...filter, after });
    const found = await summaries(db, schema, batch, seqs);
    items.push(...found.filter((item) => filter.state === undefined || item.state === filter.state));
    const full = items[filter.limit - 1];
    if (full !== undefined) {
      return { items: items.slice(0, filter.limit), next: full.seq < batch.total - 1 ? full.seq : null };
    }
    const last = seqs.at(-1);
    if (last === undefined || last >= batch.total - 1) return { items, next: null };
    after = last;
  }
  return { items, next: after };
}

function detail(
  summary: JobSummary,
  type: string,
  payload: Record<string, unknown>,
  events: readonly TimelineEvent[],
): JobDetail {
  return { ...summary, type, payload, events: events as readonly JobEventView[] };
}

async function findBatch(
  db: Kysely<Database>,
  tenantId: string,
  batchId: string,
): Promise<BatchKey | undefined> {
  return db
    .selectFrom('batches')
    .where('id', '=', batchId)
    .where('tenant_id', '=', tenantId)
    .select(['id', 'total', 'type'])
    .executeTakeFirst();
}

/** The next positions that may be in the wanted state. */
async function nextSeqs(
  db: Kysely<Database>,
  schema: string,
  batch: BatchKey,
  { state, after, limit }: Filter,
): Promise<number[]> {
  if (state === 'waiting' || state === 'running') return openSeqs(db, schema, batch.id, { after, limit });
  if (state === undefined || state === 'succeeded') {
    const size = state === undefined ? limit : Math.max(limit, 500);
    const end = Math.min(batch.total, after + 1 + size);
    return Array.from({ length: Math.max(0, end - after - 1) }, (_, index) => after + 1 + index);
  }
  return rareSeqs(db, schema, batch.id, { states: [state], after, limit });
}

async function openSeqs(
  db: Kysely<Database>,
  schema: string,
  batchId: string,
  { after, limit }: { after: number; limit: number },
): Promise<number[]> {
  // Raw SQL is not put into a schema by Kysely.
  const chunks = sql.id(schema, 'chunks');
  const { rows } = await sql<{ seq: number }>`
    SELECT DISTINCT m.seq FROM (
      (SELECT first_seq, end_seq, seqs FROM ${chunks} WHERE batch_id = ${batchId} AND state <> 'closed'
        AND seqs IS NULL AND end_seq > ${after}::int + 1 ORDER BY first_seq LIMIT ${limit})
      UNION ALL
      (SELECT first_seq, end_seq, seqs FROM ${chunks} WHERE batch_id = ${batchId} AND state <> 'closed'
        AND seqs IS NOT NULL AND seqs[cardinality(seqs)] > ${after}::int)
    ) AS c, LATERAL (
      SELECT g AS seq FROM generate_series(greatest(c.first_seq, ${after}::int + 1), c.end_seq - 1) AS g WHERE c.seqs IS NULL
      UNION ALL SELECT u FROM unnest(c.seqs) AS u WHERE u > ${after}::int
      LIMIT ${limit}
    ) AS m ORDER BY m.seq LIMIT ${limit}`.execute(db);
  return rows.map((row) => row.seq);
}

async function summaries(
  db: Kysely<Database>,
  schema: string,
  { id: batchId, receipts }: { id: string; receipts: Receipts },
  seqs: readonly number[],
  known?: Map<number, TimelineEvent[]>,
): Promise<JobSummary[]> {
  if (seqs.length === 0) return [];
  const [events, held] = await Promise.all([
    known ?? eventsOf(db, schema, batchId, seqs),
    heldChunks(db, batchId),
  ]);
  return seqs.map((seq) => toSummary(batchId, seq, events.get(seq) ?? [], held, receipts));
}

function toSummary(
  batchId: string,
  seq: number,
  timeline: readonly TimelineEvent[],
  held: readonly HeldChunk[],
  receipts: Receipts,
): JobSummary {
  const { settledAt: _settledAt, ...summary } = summarize(batchId, seq, timeline, held, receipts);
  return summary;
}

async function eventsOf(
  db: Kysely<Database>,
  schema: string,
  batchId: string,
  seqs: readonly number[],
): Promise<Map<number, TimelineEvent[]>> {
  const log = sql.raw(listLog(quote(schema), 'wanted.batch_id', 'wanted.seqs'));
  const { rows } = await sql<TimelineEvent & { seq: number }>`
    WITH wanted AS (SELECT ${batchId}::uuid AS batch_id, ${seqs}::int[] AS seqs)
    SELECT e.seq, e.kind, e.attempt, e.at, e.data FROM wanted, LATERAL ${log} AS e ORDER BY e.id`.execute(db);
  const bySeq = new Map<number, TimelineEvent[]>();
  for (const { seq, ...event } of rows) {
    const list = bySeq.get(seq);
    if (list === undefined) bySeq.set(seq, [event]);
    else list.push(event);
  }
  return bySeq;
}
