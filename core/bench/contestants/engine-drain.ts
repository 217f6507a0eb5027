import type { Engine } from '@batchsender/core';
import { closeClients, openClients, query } from './client.ts';
import { type Setting, timed } from './contestant.ts';

/** The time from the start of an engine to the last outcome on record, in milliseconds; then the engine is stopped. */
export async function drainEngine(setting: Setting, engine: Engine): Promise<number> {
  await engine.migrate();
  const ms = await timed(async () => {
    await engine.start();
    await allCompleted(setting, 20);
  });
  await engine.stop();
  return ms;
}

/** A batch is done when its last flush is committed, a moment after the last call. Asks past the engine, which costs it nothing. */
export async function allCompleted(setting: Setting, pollMs: number): Promise<void> {
  const clients = await openClients(setting, 1);
  const unfinished = "SELECT count(*)::int AS n FROM batchsender.batches WHERE state <> 'completed'";
  while ((await clients[0]?.query<{ n: number }>(unfinished))?.rows[0]?.n !== 0) {
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  await closeClients(clients);
}

/** Jobs whose success is on record. */
export const succeededJobs = (setting: Setting): Promise<number> =>
  query(setting, "SELECT count(*)::int AS n FROM batchsender.job_events WHERE kind = 'succeeded'");
