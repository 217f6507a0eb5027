import { closeClients, openClients, query } from './client.ts';
import type { Setting } from './contestant.ts';

/** Asks past the engine, which costs it nothing, over a connection that is open before the time runs. */
export async function watchOutcomes(setting: Setting) {
  const clients = await openClients(setting, 1);
  const unfinished = "SELECT count(*)::int AS n FROM batchsender.batches WHERE state <> 'completed'";
  const left = async () => (await clients[0]?.query<{ n: number }>(unfinished))?.rows[0]?.n;
  return {
    /** A batch is done when its last flush is committed, a moment after the last call. */
    complete: async (pollMs: number): Promise<void> => {
      while ((await left()) !== 0) await new Promise((resolve) => setTimeout(resolve, pollMs));
    },
    close: () => closeClients(clients),
  };
}

/** Jobs whose success is on record. */
export const succeededJobs = (setting: Setting): Promise<number> =>
  query(setting, "SELECT count(*)::int AS n FROM batchsender.job_events WHERE kind = 'succeeded'");
