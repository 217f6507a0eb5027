import type { Kysely } from 'kysely';
import type { Pool } from 'pg';
import { summarize } from '../engine/decisions/job-summary.ts';
import type { ReadStore, ResultBlock, ResultQuery } from '../engine/host-store.ts';
import type { ResultRow } from '../engine/results.ts';
import { heldChunks } from './held-chunks.ts';
import { quote } from './migrate.ts';
import { isRare, rareSeqs } from './rare-seqs.ts';
import { resultEventsStatement } from './sql/result-events.ts';
import { resultPayloadsStatement, type Seqs } from './sql/result-payloads.ts';
import type { Database } from './tables.ts';

type Unread = Omit<ResultRow, 'payloadText'>;
type Payload = [seq: number, text: string];

/** Results in blocks of jobs: their states folded from the log, then the payloads of those that are wanted. */
export function readResults(
  db: Kysely<Database>,
  pool: Pool,
  schema: string,
): Pick<ReadStore, 'results' | 'columns'> {
  const readEvents = resultEventsStatement(pool, quote(schema));
  const readPayloads = resultPayloadsStatement(pool, quote(schema));

  /** What became of the jobs, of as many as fit. */
  async function fold({ batchId, receipts, states }: ResultQuery, seqs: Seqs): Promise<[Seqs, Unread[]]> {
    // Before the events: a job that is in no chunk any more has its outcome in the log by then.
    const held = await heldChunks(db, batchId);
    const events = await readEvents(batchId, seqs);
    const rows = events.seqs.map((seq) => {
      const timeline = events.bySeq.get(seq) ?? [];
      return summarize(batchId, seq, timeline, held, receipts);
    });
    return [events.seqs, states === undefined ? rows : rows.filter(({ state }) => states.includes(state))];
  }

  /** Where all jobs are wanted, their payloads are read beside their events. */
  async function foldAndLoad(query: ResultQuery, seqs: Seqs): Promise<[[Seqs, Unread[]], Payload[]]> {
    const { batchId, states } = query;
    if (states === undefined) return Promise.all([fold(query, seqs), readPayloads(batchId, seqs)]);
    const folded = await fold(query, seqs);
    const wanted = folded[1].map(({ seq }) => seq);
    return [folded, await readPayloads(batchId, wanted)];
  }

  return {
    async results(query) {
      const seqs = await nextSeqs(db, schema, query);
      const isLast = seqs.length < query.limit || seqs.at(-1) === query.total - 1;
      if (seqs.length === 0) return { rows: [], next: null, cutAt: undefined };
      const [[folded, unread], payloads] = await foldAndLoad(query, seqs);
      return block({ seqs, folded, isLast }, unread, payloads);
    },
    async columns(batchId) {
      const row = await db
        .selectFrom('batches')
        .where('id', '=', batchId)
        .select('columns')
        .executeTakeFirst();
      return row?.columns ?? null;
    },
  };
}

/**
 * The next jobs that may be wanted. Rare states come by their index. Anything else is a scan of the
 * batch that reads the events of all jobs, and the payloads of those that are wanted.
 */
async function nextSeqs(
  db: Kysely<Database>,
  schema: string,
  { batchId, total, states, after, limit }: ResultQuery,
): Promise<Seqs> {
  if (states?.every(isRare)) return rareSeqs(db, schema, batchId, { states, after, limit });
  const first = after + 1;
  return Array.from({ length: Math.min(limit, Math.max(0, total - first)) }, (_, index) => first + index);
}

function block(
  { seqs, folded, isLast }: { seqs: Seqs; folded: Seqs; isLast: boolean },
  unread: readonly Unread[],
  payloads: readonly Payload[],
): ResultBlock {
  const texts = new Map(payloads);
  const lastRead = payloads.at(-1)?.[0] ?? -1;
  const firstLeft = unread.find(({ seq }) => seq > lastRead)?.seq ?? Number.POSITIVE_INFINITY;
  const rows: ResultRow[] = [];
  for (const row of unread) {
    if (row.seq >= firstLeft) break;
    const payloadText = texts.get(row.seq);
    if (payloadText === undefined) throw new Error(`Job ${row.id} has no payload`);
    rows.push({ ...row, payloadText });
  }
  if (payloads.length === 0 && unread.length > 0) throw new Error(`Job ${unread[0]?.id} has no payload`);
  // What did not fit is read again with the next block.
  const taken = folded.filter((seq) => seq < firstLeft);
  if (taken.length === seqs.length) {
    return { rows, next: isLast ? null : (seqs.at(-1) ?? null), cutAt: undefined };
  }
  return { rows, next: taken.at(-1) ?? null, cutAt: taken.length };
}
