import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { BatchInput, Engine } from '../src/engine/api.ts';
import { LEDGER_PROVIDER_NAMES, LEDGER_TYPE } from './ledger.ts';

/** A batch whose jobs are tried again soon, and often enough for a bad network. */
export const ledgerBatch = (provider: string, jobs: number): BatchInput => ({
  type: LEDGER_TYPE,
  provider,
  jobs: Array.from({ length: jobs }, (_, n) => ({ n })),
  retry: { baseMs: 10, capMs: 100, maxAttempts: 20 },
});

/** A batch for each guarantee. */
export const oneBatchEach = (jobs: number): BatchInput[] =>
  LEDGER_PROVIDER_NAMES.map((provider) => ledgerBatch(provider, jobs));

const QUIET_MS = 120_000;

/** Waits until no more than so many batches are under way. @throws Error if that takes longer than two minutes. */
export async function untilQuiet(pool: pg.Pool, most = 0): Promise<void> {
  const underWay = `SELECT count(*)::int AS n FROM batchsender.batches WHERE completed_at IS NULL AND state <> 'open'`;
  const deadline = performance.now() + QUIET_MS;
  for (;;) {
    const { rows } = await pool.query<{ n: number }>(underWay);
    const n = rows[0]?.n ?? 0;
    if (n <= most) return;
    if (performance.now() > deadline) throw new Error(`${n} batches are stuck`);
    await sleep(20);
  }
}

/** Batches that were acknowledged to whoever submitted them, and are not in the database. */
export async function lostBatches(pool: pg.Pool, acknowledged: readonly string[]): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>('SELECT id FROM batchsender.batches');
  const stored = new Set(rows.map(({ id }) => id));
  return acknowledged.filter((id) => !stored.has(id)).map((id) => `batch ${id} was acknowledged and is lost`);
}

/** Submits a batch; undefined if its caller is told of an error and so must ask again. */
export const submitted = (engine: Engine, batch: BatchInput): Promise<string | undefined> =>
  engine.submit(batch).then(
    ({ id }) => id,
    () => undefined,
  );
