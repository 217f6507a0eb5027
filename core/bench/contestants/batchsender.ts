import { createEngine, type Engine } from '@batchsender/core';
import { benchPayload, benchPayloads, countdown } from '../harness/payload.ts';
import { query } from './client.ts';
import { type Contestant, type Setting, timed } from './contestant.ts';
import { succeededJobs, watchOutcomes } from './engine-drain.ts';
import { prepareEngineTables } from './engine-tables.ts';
import { noopPlugin } from './noop-plugin.ts';

type NoopType = 'noop' | 'fenced';

function open(setting: Setting, onCall: (jobId: string) => void): Engine {
  return createEngine({ database: setting.databaseUrl, plugins: [noopPlugin(onCall)] });
}

/** The engine as an app uses it: validated submit, complete event log, default settings. */
export function batchsender(type: NoopType): Contestant {
  return {
    prepare: (setting) => prepareEngineTables(setting.databaseUrl),
    enqueue: async (setting) => {
      const jobs = benchPayloads(setting.jobs);
      const engine = open(setting, () => undefined);
      await engine.migrate();
      const ms = await timed(() => engine.submit({ type, jobs }));
      await engine.stop();
      return ms;
    },
    drain: async (setting) => {
      const calls = countdown(setting.jobs);
      const engine = open(setting, calls.hit);
      await engine.migrate();
      const outcomes = await watchOutcomes(setting);
      const ms = await timed(async () => {
        await engine.start();
        await calls.done;
        await outcomes.complete(2);
      });
      await engine.stop();
      await outcomes.close();
      return ms;
    },
    stored: (setting) => query(setting, 'SELECT count(*)::int AS n FROM batchsender.jobs'),
    completed: succeededJobs,
    latency: (setting) =>
      submitLatency(setting, (engine, payload) => engine.submit({ type, jobs: [payload] })),
  };
}

/** The same engine by `submitJob`, which gathers jobs that arrive together. */
export const batchsenderSingle: Contestant = {
  ...batchsender('noop'),
  latency: (setting) =>
    submitLatency(setting, (engine, payload) => engine.submitJob({ type: 'noop', payload })),
};

async function submitLatency(
  setting: Setting,
  submit: (engine: Engine, payload: ReturnType<typeof benchPayload>) => Promise<unknown>,
): Promise<number[]> {
  let started: (at: number) => void = () => undefined;
  const engine = open(setting, () => started(performance.now()));
  await engine.migrate();
  await engine.start();
  const times: number[] = [];
  for (let index = 0; index < setting.jobs; index++) {
    const call = Promise.withResolvers<number>();
    started = call.resolve;
    const before = performance.now();
    const stored = submit(engine, benchPayload(index));
    times.push((await call.promise) - before);
    await stored;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await engine.stop();
  return times;
}
