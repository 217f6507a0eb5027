import { Logger, makeWorkerUtils, type Runner, type RunnerOptions, run } from 'graphile-worker';
import { benchPayload, benchPayloads, countdown } from '../harness/payload.ts';
import { closeClients, openClients, openPool, query } from './client.ts';
import { type Contestant, inParallel, type Peer, type Setting, timed, type Worker } from './contestant.ts';

const logger = new Logger(() => () => undefined);
const LEFT = 'SELECT count(*)::int AS n FROM graphile_worker._private_jobs';

/** Jobs of one `addJobs`, and so many of them at once: the fastest of those tried (1,000 to 100,000). */
const SLICE = 1_000;
const LANES = 4;

/** graphile-worker at the settings that were found to drain fastest. */
export const graphileWorker: Contestant = {
  prepare: async (setting) => {
    const utils = await makeWorkerUtils({ connectionString: setting.databaseUrl, logger });
    await utils.migrate();
    await utils.release();
  },
  enqueue: async (setting) => {
    const payloads = benchPayloads(setting.jobs);
    const utils = await makeWorkerUtils({ connectionString: setting.databaseUrl, logger });
    const ms = await timed(() =>
      inParallel(LANES, Math.ceil(payloads.length / SLICE), async (index) => {
        const slice = payloads.slice(index * SLICE, (index + 1) * SLICE);
        await utils.addJobs(slice.map((payload) => ({ identifier: 'noop', payload })));
      }),
    );
    await utils.release();
    return ms;
  },
  drain: async (setting) => {
    const calls = countdown(setting.jobs);
    const clients = await openClients(setting, 1);
    const options = { ...draining(setting), taskList: { noop: async () => calls.hit() } };
    let runner: Runner | undefined;
    const ms = await timed(async () => {
      runner = await run(options);
      await calls.done;
      while ((await clients[0]?.query<{ n: number }>(LEFT))?.rows[0]?.n !== 0) {
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    });
    await runner?.stop();
    await closeClients(clients);
    return ms;
  },
  stored: (setting) => query(setting, LEFT),
  // A job that succeeded is deleted; one that failed stays.
  completed: async (setting) => setting.jobs - (await query(setting, LEFT)),
  latency,
};

function draining(setting: Setting): RunnerOptions {
  const localQueue = { size: 500, refetchDelay: { durationMs: 10 } };
  return {
    connectionString: setting.databaseUrl,
    concurrency: 24,
    maxPoolSize: 10,
    noHandleSignals: true,
    logger,
    preset: { worker: { localQueue, completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
  };
}

/** Without a local queue: a new job wakes a worker, which fetches it at once. */
function listening(setting: Setting): RunnerOptions {
  return {
    connectionString: setting.databaseUrl,
    concurrency: 24,
    maxPoolSize: 10,
    noHandleSignals: true,
    logger,
  };
}

async function latency(setting: Setting): Promise<number[]> {
  let started: (at: number) => void = () => undefined;
  const taskList = { noop: async () => started(performance.now()) };
  const runner = await run({ ...listening(setting), taskList });
  const times: number[] = [];
  for (let index = 0; index < setting.jobs; index++) {
    const call = Promise.withResolvers<number>();
    started = call.resolve;
    const before = performance.now();
    const added = runner.addJob('noop', benchPayload(index));
    times.push((await call.promise) - before);
    await added;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await runner.stop();
  return times;
}

async function worker(setting: Setting, options: RunnerOptions, onCall: () => void): Promise<Worker> {
  const { connectionString: _, maxPoolSize = 10, ...rest } = options;
  // Connected before the start, as the others are.
  const pgPool = await openPool(setting, maxPoolSize);
  let runner: Promise<Runner> | undefined;
  return {
    start: () => {
      runner = run({ ...rest, pgPool, taskList: { noop: async () => onCall() } });
    },
    rest: async () => {
      await (await runner)?.stop();
      runner = undefined;
    },
    stop: async () => {
      await (await runner)?.stop();
      await pgPool.end();
    },
  };
}

export const graphilePeer: Peer = {
  drainer: (setting, onCall) => worker(setting, draining(setting), onCall),
  listener: (setting, onCall) => worker(setting, listening(setting), onCall),
  open: async (setting) => {
    const utils = await makeWorkerUtils({ connectionString: setting.databaseUrl, logger });
    const [client] = await openClients(setting, 1);
    return {
      add: (payload) => utils.addJob('noop', payload),
      left: async () => (await client?.query<{ n: number }>(LEFT))?.rows[0]?.n ?? Number.NaN,
      close: async () => {
        await client?.end();
        await utils.release();
      },
    };
  },
};
