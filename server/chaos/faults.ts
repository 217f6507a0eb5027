import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../core/test/helpers/model-random.ts';
import type { Fault } from './schedule.ts';
import type { Actor, Stage } from './stage.ts';

/** A fault as it happened. */
export interface Blow {
  readonly fault: Fault;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** Until then its target was down or went down. */
  untilMs: number;
  /** Processes whose calls it may have hit. */
  readonly pids: readonly number[];
  /** Runners that had to give up their chunks. */
  readonly runnerIds: readonly string[];
  /** The connections to Postgres broke: of one server, or of all. */
  readonly wire: boolean;
}

/** A child whose supervisor is killed lets its calls end for five seconds, and is ended by ten. */
const ORPHAN_MS = 12_000;
const TARGET_MS = 90_000;
const END_SESSIONS = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'batchsender%' AND pid % 2 = $1`;
/** Statements that commit: those with a name are sent by it. */
const COMMITS = ['bs_lease', 'bs_batch', 'bs_fence', 'bs_flush', 'bs_slice', 'bs_beat', 'COMMIT'] as const;

/**
 * Waits for the fault's target, and strikes; `beforeKill` is told of the runners that are hit.
 * Undefined if there was no target in time.
 */
export async function strike(
  stage: Stage,
  fault: Fault,
  number: number,
  beforeKill: (runnerIds: readonly string[]) => Promise<void>,
): Promise<Blow | undefined> {
  if (!(await hasTarget(stage, fault))) return undefined;
  const actor = stage.actors[fault.server];
  const runners = actor.server.children();
  const hit = hitsRunner(fault) ? runners : [];
  const runnerIds = hit.map(({ runnerId }) => runnerId);
  await beforeKill(runnerIds);
  const blow: Blow = {
    fault,
    atMs: Date.now(),
    untilMs: Date.now() + fault.downMs + (fault.kind === 'kill supervisor' ? ORPHAN_MS : 0),
    pids: hit.map(({ pid }) => pid),
    runnerIds,
    wire: ['cut postgres', 'lose replies', 'end sessions', 'kill postgres'].includes(fault.kind),
  };
  await act(stage, actor, fault, number);
  return blow;
}

const hitsRunner = ({ kind }: Fault): boolean =>
  kind === 'kill supervisor' || kind === 'kill child' || kind === 'kill machine' || kind === 'stop machine';

async function act(stage: Stage, actor: Actor, fault: Fault, number: number): Promise<void> {
  const { server, toPostgres, toNats } = actor;
  const { postgres, nats } = stage;
  switch (fault.kind) {
    case 'kill api':
    case 'kill supervisor':
      return server.kill(fault.downMs);
    case 'kill child':
      return signal(actor, 'SIGKILL', { supervisor: false });
    case 'kill machine':
      signal(actor, 'SIGKILL', { supervisor: false });
      return server.kill(fault.downMs);
    case 'stop machine':
      return stopFor(actor, fault.downMs);
    case 'kill nats':
    case 'wipe nats':
    case 'roll nats back':
      await nats.kill();
      if (fault.kind === 'wipe nats') nats.wipe();
      if (fault.kind === 'roll nats back') nats.rollBack();
      await sleep(fault.downMs);
      return nats.start();
    case 'end sessions':
      await postgres.query(END_SESSIONS, [number % 2]);
      return;
    case 'kill postgres':
      return postgres.kill(fault.downMs);
    case 'cut postgres':
      return toPostgres.cut();
    case 'cut nats':
      return toNats.cut();
    case 'lose replies': {
      const random = seededRandom(`replies ${number}`);
      toPostgres.loseReplies([random.pick(COMMITS), random.pick(COMMITS)], random.int(1, 4));
      return;
    }
  }
}

function signal(
  { server }: Actor,
  name: NodeJS.Signals,
  { supervisor }: { readonly supervisor: boolean },
): void {
  if (supervisor && server.pid !== undefined) process.kill(server.pid, name);
  for (const { pid } of server.children()) process.kill(pid, name);
}

/** The schedule goes on while it is stopped. */
function stopFor(actor: Actor, forMs: number): void {
  const pid = actor.server.pid;
  const stopped = [...actor.server.children().map((child) => child.pid), ...(pid === undefined ? [] : [pid])];
  signal(actor, 'SIGSTOP', { supervisor: true });
  setTimeout(() => {
    for (const each of stopped) goOn(each);
  }, forMs);
}

function goOn(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT');
  } catch {
    // It was killed while it was stopped.
  }
}

/** A fault that meets nobody says nothing: it waits until its target works, or at least lives. */
async function hasTarget(stage: Stage, fault: Fault): Promise<boolean> {
  const { server } = stage.actors[fault.server];
  const deadline = performance.now() + TARGET_MS;
  while (performance.now() < deadline) {
    if (needsPostgres(fault) ? stage.postgres.up : isThere(server, fault)) return true;
    await sleep(50);
  }
  return false;
}

const needsPostgres = ({ kind }: Fault): boolean => kind === 'end sessions' || kind === 'kill postgres';

function isThere(server: Actor['server'], { kind, early }: Fault): boolean {
  if (kind.endsWith('nats') || kind === 'roll nats back') return true;
  if (kind === 'kill child') return server.children().length > 0 && (early || server.ready);
  return early ? server.pid !== undefined : server.ready;
}
