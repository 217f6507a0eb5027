import type { BatchInput, Engine } from '@batchsender/core';
import { settleTables } from './client.ts';
import { type Contestant, type Setting, timed } from './contestant.ts';
import { succeededJobs, watchOutcomes } from './engine-drain.ts';
import { prepareEngineTables } from './engine-tables.ts';

/**
 * Batches that an engine at work sends: first the jobs to warm up, then those that are timed, from the moment when
 * their batch is sealed to the last outcome on record.
 */
export function engineCalls(
  open: (setting: Setting) => Engine,
  batchOf: (jobs: number, setting: Setting) => BatchInput,
): Contestant {
  return {
    prepare: (setting) => prepareEngineTables(setting.databaseUrl),
    drain: async (setting) => {
      const engine = open(setting);
      await engine.start();
      const ms = await timedAfterWarmUp(setting, engine, (jobs) => batchOf(jobs, setting), 20);
      await engine.stop();
      return ms;
    },
    completed: succeededJobs,
  };
}

/**
 * Stores the jobs to warm up and waits for their outcomes, then does the same with those of the setting and answers
 * their time: from the seal of their batch, which is the start signal for whoever works on it. `cpuMs` as for `timed`.
 */
export async function timedAfterWarmUp(
  setting: Setting,
  engine: Engine,
  batchOf: (jobs: number) => BatchInput,
  pollMs: number,
  cpuMs?: () => number | undefined,
): Promise<number> {
  const outcomes = await watchOutcomes(setting);
  // Until it is sealed, a batch has nothing to do.
  const store = (jobs: number) => engine.submit({ ...batchOf(jobs), sealed: false });
  const work = async ({ id }: { readonly id: string }) => {
    await engine.seal(id);
    await outcomes.complete(pollMs);
  };
  await work(await store(setting.warmUpJobs ?? 0));
  const batch = await store(setting.jobs);
  await settleTables(setting, 'batchsender');
  const ms = await timed(() => work(batch), cpuMs);
  await outcomes.close();
  return ms;
}
