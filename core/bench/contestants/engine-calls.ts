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
      const outcomes = await watchOutcomes(setting);
      // Until it is sealed, a batch has nothing to do.
      const store = (jobs: number) => engine.submit({ ...batchOf(jobs, setting), sealed: false });
      const send = async ({ id }: { readonly id: string }) => {
        await engine.seal(id);
        await outcomes.complete(20);
      };
      await send(await store(setting.warmUpJobs ?? 0));
      const batch = await store(setting.jobs);
      await settleTables(setting, 'batchsender');
      const ms = await timed(() => send(batch));
      await engine.stop();
      await outcomes.close();
      return ms;
    },
    completed: succeededJobs,
  };
}
