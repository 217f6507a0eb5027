import { setTimeout as sleep } from 'node:timers/promises';
import { endLeadership, tolerant, unblock } from './model-actions.ts';
import type { ModelJournal } from './model-journal.ts';
import { seededRandom } from './model-random.ts';
import type { ModelWorld } from './model-world.ts';

const QUIET_WITHIN_MS = 45_000;
const LOOK_MS = 150;

const RESTLESS = `SELECT id, state FROM batchsender.batches AS b
WHERE state NOT IN ('completed', 'cancelled') OR EXISTS (SELECT 1 FROM batchsender.sweeps AS s WHERE s.batch_id = b.id)`;

/** Receipts that wait for the outcome of their attempt. */
const EARLY = 'SELECT 1 FROM batchsender.receipt_keys WHERE early_batch IS NOT NULL LIMIT 1';

/** Mends everything and waits until every batch has ended. Throws if some never end. */
export async function heal(world: ModelWorld, journal: ModelJournal): Promise<void> {
  world.vendor.healthy = true;
  // New ones, so that at least two have a wire without a fault.
  await Promise.all([world.start(), world.start()]);
  await endLeadership(world.pool);
  const until = performance.now() + QUIET_WITHIN_MS;
  for (;;) {
    const { rows } = await world.pool.query<{ id: string; state: string }>(RESTLESS);
    if (rows.length === 0 && (await world.pool.query(EARLY)).rowCount === 0) return;
    if (performance.now() > until) throw new Error(`never quiet: ${await story(world, rows)}`);
    await mend(world, journal, rows);
    await sleep(LOOK_MS);
  }
}

async function mend(
  world: ModelWorld,
  journal: ModelJournal,
  rows: readonly { id: string; state: string }[],
): Promise<void> {
  const random = seededRandom(0);
  const engine = world.up.at(-1);
  if (engine === undefined) throw new Error('no engine is up');
  const env = { world, random, journal, engine };
  await unblock(env);
  for (const { id, state } of rows) {
    if (state === 'paused') {
      await tolerant(env, 'resume', () => journal.releasing(id, () => engine.engine.resume(id)));
    }
    if (state !== 'open') continue;
    // An upload that nobody ends stands in the way until it is swept.
    await tolerant(env, 'upload', async () => (await engine.engine.upload(id)).abort());
    await tolerant(env, 'seal', () => engine.engine.seal(id));
  }
}

/** What is left, for whoever has to find out why. */
async function story(world: ModelWorld, rows: readonly { id: string }[]): Promise<string> {
  const ids = rows.map((row) => row.id);
  const tables = ['batches AS t WHERE id', 'chunks AS t WHERE batch_id', 'sweeps AS t WHERE batch_id'];
  const found = await Promise.all(
    tables.map((table) =>
      world.pool.query<{ line: string }>(
        `SELECT row_to_json(t)::text AS line FROM batchsender.${table} = ANY($1::uuid[])`,
        [ids],
      ),
    ),
  );
  return found.flatMap((result) => result.rows.map((row) => row.line)).join('\n');
}
