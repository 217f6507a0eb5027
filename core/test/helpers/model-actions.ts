import type pg from 'pg';
import type { BatchInput, TransactionClient } from '../../src/engine/api.ts';
import { BatchSenderError } from '../../src/engine/errors.ts';
import type { ModelJournal, Submission } from './model-journal.ts';
import { type ModelPayload, PROVIDER_NAMES } from './model-providers.ts';
import type { Random } from './model-random.ts';
import { isWireError, type ModelEngine, type ModelWorld } from './model-world.ts';

/** What an action works on. */
export interface ActionEnv {
  readonly world: ModelWorld;
  readonly journal: ModelJournal;
  readonly random: Random;
  /** The process that is asked. */
  readonly engine: ModelEngine;
}

type Steer = 'seal' | 'pause' | 'resume' | 'cancel' | 'retry';

const payloads = ({ tag }: Submission, from: number, count: number, random: Random): ModelPayload[] =>
  Array.from({ length: count }, (_, index) => ({ tag, n: from + index, to: `e${random.int(0, 2)}` }));

function input(random: Random): Omit<BatchInput, 'jobs'> {
  return {
    type: 'model',
    provider: random.pick(PROVIDER_NAMES),
    retry: {
      maxAttempts: random.int(2, 4),
      baseMs: 20,
      capMs: 200,
      ...(random.chance(0.1) ? { maxAgeMs: random.int(1_000, 3_000) } : {}),
    },
    priority: random.int(-2, 2),
    ...(random.chance(0.2) ? { scheduledAt: new Date(Date.now() + random.int(0, 900)) } : {}),
  };
}

/** Tells from an error what became of a request. */
function settleBy(env: ActionEnv, submission: Submission, error: unknown, where: string): void {
  // An engine that stops meanwhile may have stored it before.
  const refused = error instanceof BatchSenderError && error.code !== 'engine_stopped';
  submission.fate = refused ? 'refused' : 'unclear';
  if (!(error instanceof BatchSenderError)) env.world.unexpected(error, where);
}

/** A batch with its jobs, sealed or open. */
export async function submit(env: ActionEnv): Promise<void> {
  const { random, engine } = env;
  const submission = env.journal.submission(random.chance(0.02) ? 2_050 : random.int(1, 40));
  const jobs = payloads(submission, 0, submission.jobs, random);
  try {
    const batch = await engine.engine.submit({ ...input(random), jobs, sealed: random.chance(0.8) });
    Object.assign(submission, { fate: 'acked', batchId: batch.id });
  } catch (error) {
    settleBy(env, submission, error, 'submit');
  }
}

/** E14: a batch in a transaction of the caller, which may roll it back. */
export async function submitInside(env: ActionEnv): Promise<void> {
  const { random, world, engine } = env;
  const submission = env.journal.submission(random.int(1, 20));
  const jobs = payloads(submission, 0, submission.jobs, random);
  const commits = random.chance(0.5);
  const client = await world.pool.connect();
  try {
    await client.query('BEGIN');
    await engine.engine.submit({ ...input(random), jobs }, { client: client as TransactionClient });
    await client.query(commits ? 'COMMIT' : 'ROLLBACK');
    submission.fate = commits ? 'acked' : 'refused';
  } catch (error) {
    await client.query('ROLLBACK');
    settleBy(env, submission, error, 'submit with a client');
    submission.fate = 'refused';
  } finally {
    client.release();
  }
}

/** E20: some single jobs at once. */
export async function submitSingles(env: ActionEnv): Promise<void> {
  const { random, engine, journal } = env;
  const { scheduledAt: _at, ...rest } = input(random);
  await Promise.all(
    Array.from({ length: random.int(1, 6) }, async () => {
      const submission = journal.submission(1);
      const [payload] = payloads(submission, 0, 1, random);
      try {
        const { batchId } = await engine.engine.submitJob({ ...rest, payload: payload as never });
        Object.assign(submission, { fate: 'acked', batchId });
      } catch (error) {
        settleBy(env, submission, error, 'submitJob');
      }
    }),
  );
}

/** E13: an upload of some slices, which commits, aborts, or is never heard of again. */
export async function upload(env: ActionEnv): Promise<void> {
  const { random, engine } = env;
  const batchId = await someBatch(env, ['open']);
  if (batchId === undefined) return openBatch(env);
  const submission = env.journal.submission();
  submission.fate = 'refused';
  try {
    const upload_ = await engine.engine.upload(batchId);
    for (let slices = random.int(0, 3); slices > 0; slices--) {
      const rows = payloads(submission, submission.jobs, random.int(1, 15), random);
      submission.jobs += rows.length;
      await upload_.write(rows.map((payload) => ({ payload: { ...payload } })));
    }
    const end = random.weighted({ commit: 7, abort: 2, nothing: 1 });
    if (end === 'abort') await upload_.abort();
    if (end !== 'commit') return;
    submission.fate = 'unclear';
    await upload_.commit();
    submission.fate = 'acked';
  } catch (error) {
    const before = submission.fate;
    settleBy(env, submission, error, 'upload');
    if (before === 'refused') submission.fate = 'refused';
  }
}

function openBatch(env: ActionEnv): Promise<void> {
  return tolerant(env, 'open', () => env.engine.engine.submit(input(env.random)));
}

/** Steers a random batch; what is not allowed in its state is refused. */
export async function steer(env: ActionEnv, what: Steer): Promise<void> {
  const {
    journal,
    engine: { engine },
    random,
  } = env;
  const batchId = await someBatch(env);
  if (batchId === undefined) return;
  const askedAt = performance.now();
  const states = (['failed', 'unknown', 'cancelled'] as const).filter(() => random.chance(0.6));
  await tolerant(env, what, async () => {
    if (what === 'retry') return journal.releasing(batchId, () => engine.retry(batchId, states));
    if (what === 'resume') return journal.releasing(batchId, () => engine.resume(batchId));
    await engine[what](batchId);
    if (what !== 'seal') journal.hold(batchId, askedAt);
  });
}

/** Settles some job that is unknown, from two sides at once. */
export async function resolve(env: ActionEnv): Promise<void> {
  const { world, random } = env;
  const { rows } = await world.pool.query<{ id: string }>(
    `SELECT batch_id || '.' || seq AS id FROM batchsender.job_events WHERE kind = 'unknown' ORDER BY random() LIMIT 1`,
  );
  const jobId = rows[0]?.id;
  if (jobId === undefined) return;
  const outcome = random.pick(['succeeded', 'failed'] as const);
  const sides = [env.engine, random.pick(world.up.length > 0 ? world.up : [env.engine])];
  await Promise.all(
    sides.map((side) => tolerant(env, 'resolve', () => side.engine.resolveJob(jobId, outcome))),
  );
}

/** Takes the blocks off all connections. */
export async function unblock(env: ActionEnv): Promise<void> {
  await tolerant(env, 'unblock', async () => {
    for (const { id, state } of await env.engine.engine.connections.list()) {
      if (state === 'blocked') await env.engine.engine.connections.unblock(id);
    }
  });
}

/** Runs a request that may be refused, or cut off. */
export async function tolerant(env: ActionEnv, where: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof BatchSenderError) && !isWireError(error)) env.world.unexpected(error, where);
  }
}

async function someBatch(env: ActionEnv, states?: readonly string[]): Promise<string | undefined> {
  const { journal, random, world } = env;
  if (states === undefined && journal.favourite !== undefined && random.chance(0.6)) return journal.favourite;
  const { rows } = await world.pool.query<{ id: string }>(
    'SELECT id FROM batchsender.batches WHERE $1::text[] IS NULL OR state = ANY($1) ORDER BY random() LIMIT 1',
    [states ?? null],
  );
  journal.favourite = rows[0]?.id ?? journal.favourite;
  return rows[0]?.id;
}

/** Takes chunks from processes that are alive, as happens when the database's clock jumps ahead. */
export async function steal(pool: pg.Pool): Promise<void> {
  await pool.query(
    `UPDATE batchsender.chunks SET state = 'ready', runner_id = NULL, dispatched_at = NULL, deaths = deaths + 1, interrupted = true
     WHERE id IN (SELECT id FROM batchsender.chunks WHERE state = 'leased' AND random() < 0.5 ORDER BY id FOR UPDATE)`,
  );
}

/** Whoever leads the housekeeping loses its term. */
export async function endLeadership(pool: pg.Pool): Promise<void> {
  await pool.query(`UPDATE batchsender.leadership SET expires_at = now() - interval '1 second'`);
}
