import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsBinary } from '../test/helpers/nats-process.ts';
import { careful } from './client.ts';
import { type Evidence, readDatabase } from './evidence.ts';
import { type Blow, strike } from './faults.ts';
import type { ChaosOptions } from './options.ts';
import { watchRecovery } from './recovery.ts';
import { SERVER_NAMES, scheduleOf } from './schedule.ts';
import { allReady, openStage, type Stage } from './stage.ts';
import { type Acknowledged, submitAll } from './submit.ts';
import { workloadOf } from './workload.ts';

/** Batches that nobody works on any more are stuck: nothing has changed for so long. */
const STUCK_MS = 120_000;
const UNDER_WAY = `SELECT count(*)::int AS open, coalesce(sum(succeeded + failed + unknown + cancelled), 0)::int AS done
FROM batchsender.batches WHERE state NOT IN ('completed', 'cancelled')`;
const SAY_EVERY = 10;
/** This part of the jobs is there before the first fault. */
const AHEAD = 0.1;

export interface ChaosRun {
  readonly evidence: Evidence;
  readonly folder: string;
  /** Ends all processes. */
  close(keepFolder: boolean): Promise<void>;
}

/** Delivers the jobs while the faults strike, and gathers what is known then. */
export async function chaosRun(
  options: ChaosOptions,
  binary: NatsBinary,
  say: (line: string) => void,
): Promise<ChaosRun> {
  const stage = await openStage(options, binary);
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void stage.close(true).finally(() => process.exit(1)));
  try {
    say(`all processes are at work; logs and data are in ${stage.folder}`);
    return { evidence: await perform(options, stage, say), folder: stage.folder, close: stage.close };
  } catch (error) {
    await stage.close(true);
    throw error;
  }
}

async function perform(options: ChaosOptions, stage: Stage, say: (line: string) => void): Promise<Evidence> {
  const schedule = scheduleOf(options, { killPostgres: stage.postgres.canKill });
  const acknowledged: Acknowledged[] = [];
  const problems: string[] = [];
  const blows: Blow[] = [];
  const recovery = watchRecovery(stage);
  let struck = 0;
  const client = careful({
    url: stage.actors.api.server.url,
    onProblem: (problem) => problems.push(problem),
  });
  const part = () => (schedule.length === 0 ? 1 : struck / schedule.length);
  const submitting = submitAll(
    { client, seed: options.seed, onAcknowledged: (batch) => acknowledged.push(batch) },
    workloadOf(options.seed, options.jobs),
    async (batchPart) => {
      while (part() + AHEAD < batchPart) await sleep(50);
    },
  );
  for (const [number, fault] of schedule.entries()) {
    await sleep(fault.afterMs);
    const blow = await strike(stage, fault, number, recovery.beforeKill);
    if (blow === undefined) problems.push(`${fault.kind} of ${fault.server} found no target`);
    else blows.push(blow);
    struck += 1;
    if (struck % SAY_EVERY === 0 || struck === schedule.length) say(`${struck} of ${schedule.length} faults`);
  }
  await submitting;
  say('all jobs are submitted, all faults have struck');
  await allReady(stage.actors, 180_000).catch((error: Error) => problems.push(error.message));
  await untilQuiet(stage, say);
  return {
    jobs: options.jobs,
    ...(await readDatabase(stage.postgres.pool)),
    ledger: stage.ledger.lines(),
    blows,
    recovery: await recovery.stop(),
    acknowledged,
    problems,
    alarms: SERVER_NAMES.flatMap((name) => stage.actors[name].server.alarms),
  };
}

/** Waits until all batches have ended, or nothing moves any more. */
async function untilQuiet({ postgres }: Stage, say: (line: string) => void): Promise<void> {
  let last = '';
  let movedAt = performance.now();
  while (performance.now() - movedAt < STUCK_MS) {
    const [row] = await postgres.query<{ open: number; done: number }>(UNDER_WAY);
    if (row?.open === 0) return;
    const now = `${row?.open} batches are open, with ${row?.done} jobs done`;
    if (now !== last) movedAt = performance.now();
    if (now !== last) say(now);
    last = now;
    await sleep(1_000);
  }
  say(`stuck: ${last}`);
}
