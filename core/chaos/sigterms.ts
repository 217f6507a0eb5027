import { setTimeout as sleep } from 'node:timers/promises';
import { createEngine } from '../src/create-engine.ts';
import { seededRandom } from '../test/helpers/model-random.ts';
import type { LoopOptions, LoopReport } from './command.ts';
import { ledgerPlugin } from './ledger-plugin.ts';
import { ledgerReceiver } from './ledger-receiver.ts';
import { oneBatchEach, submitted, untilQuiet } from './load.ts';
import { type RunnerProcess, startRunner } from './runner-process.ts';
import { loopVerdict } from './verdict.ts';

/** A call takes this long, and so fits the grace period by far. */
const WORK_MS = 50;
const GRACE_MS = 30_000;
/** Longer than a loaded machine holds up an answer: a call that times out says nothing about SIGTERM. */
const TIMEOUT_MS = 60_000;
const JOBS = 200;
/** With fewer calls in flight a signal would hit hardly anybody: it waits for more. */
const LOAD = 10;
/** Fewer jobs than this would be done before the next signal. */
const FEW_JOBS = 1_000;
const PATIENCE_MS = 20_000;

/**
 * Two runners under load; `count` times one of them gets SIGTERM and another one takes its place.
 * Each call fits the grace period: nobody is called twice, and no outcome is unknown.
 */
export async function sigterms({ database, count, seed, say }: LoopOptions): Promise<LoopReport> {
  const random = seededRandom(seed);
  const receiver = await ledgerReceiver({ workMs: WORK_MS });
  const submitter = createEngine({ database: database.url, plugins: [ledgerPlugin()] });
  const setup = {
    database: database.url,
    receiverUrl: receiver.url,
    graceMs: GRACE_MS,
    plugin: { timeoutMs: TIMEOUT_MS },
  };
  const runners: RunnerProcess[] = [];
  const problems: string[] = [];
  const acknowledged: string[] = [];
  let underLoad = 0;
  try {
    await submitter.migrate();
    runners.push(startRunner(setup), startRunner(setup));
    await Promise.all(runners.map((runner) => runner.ready()));
    for (let signal = 1; signal <= count; signal++) {
      if (await runsLow(database.pool)) {
        const ids = await Promise.all(oneBatchEach(JOBS).map((batch) => submitted(submitter, batch)));
        acknowledged.push(...ids.filter((id) => id !== undefined));
      }
      await sleep(random.int(0, 200));
      await untilLoaded(() => receiver.working);
      underLoad += receiver.working >= LOAD ? 1 : 0;
      const victim = runners.shift() as RunnerProcess;
      const [code] = await Promise.all([victim.end('SIGTERM'), replace(runners, setup)]);
      if (code !== 0) problems.push(`SIGTERM ${signal}: the runner ended by ${code}`);
      if (signal % 10 === 0) say(`${signal} SIGTERMs`);
    }
    await untilQuiet(database.pool);
    const { figures, problems: broken } = await loopVerdict(database.pool, receiver.ledger, acknowledged);
    return {
      figures: { SIGTERMs: count, 'with calls in flight': underLoad, ...figures },
      problems: [
        ...problems,
        ...broken,
        ...(figures.repeated === 0 ? [] : [`${figures.repeated} jobs were called more than once`]),
        ...(await whyUnknown(database.pool)),
      ],
    };
  } finally {
    await Promise.all(runners.map((runner) => runner.end('SIGKILL')));
    await submitter.stop();
    await receiver.close();
  }
}

async function replace(runners: RunnerProcess[], setup: Parameters<typeof startRunner>[0]): Promise<void> {
  const runner = startRunner(setup);
  runners.push(runner);
  await runner.ready();
}

async function runsLow(pool: LoopOptions['database']['pool']): Promise<boolean> {
  const { rows } = await pool.query<{ n: number | null }>(
    'SELECT sum(total - succeeded - failed - unknown)::int AS n FROM batchsender.batches WHERE completed_at IS NULL',
  );
  return (rows[0]?.n ?? 0) < FEW_JOBS;
}

/** Unknown outcomes by their reason. */
async function whyUnknown(pool: LoopOptions['database']['pool']): Promise<string[]> {
  const { rows } = await pool.query<{ code: string; n: number }>(
    `SELECT data->>'code' AS code, count(*)::int AS n FROM batchsender.job_events WHERE kind = 'unknown' GROUP BY 1`,
  );
  return rows.map(({ code, n }) => `${n} jobs are unknown: ${code}`);
}

async function untilLoaded(working: () => number): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (working() < LOAD && performance.now() < deadline) await sleep(5);
}
