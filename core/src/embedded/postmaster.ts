import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../plugin/contract.ts';
import { EmbeddedPostgresError } from './errors.ts';
import { acceptsConnections } from './network.ts';
import { findPostmaster } from './pid-file.ts';
import type { Place } from './place.ts';
import { isAlive, type ProcessRef, processInfo, waitForEnd } from './processes.ts';
import { childEnvironment } from './user.ts';

/** Crash recovery on a slow disk may take minutes. */
const READY_MS = 600_000;
const FAST_SHUTDOWN_MS = 30_000;
const IMMEDIATE_SHUTDOWN_MS = 15_000;
const KEPT_LOGS = 10;
/** As `log_filename` has it. */
const LOG = /^postgres-\d{8}-\d{6}\.log$/;

/** Starts a postmaster that outlives us (the watchdog stops it), without any of our pipes. */
export async function spawnPostmaster(
  place: Place,
  program: string,
  args: readonly string[],
): Promise<ProcessRef> {
  const output = await open(join(place.folder, 'startup.log'), 'w');
  try {
    const child = spawn(program, [...args], {
      ...place.user,
      cwd: '/',
      env: childEnvironment(),
      detached: true,
      stdio: ['ignore', output.fd, output.fd],
    });
    await once(child, 'spawn');
    child.unref();
    const pid = child.pid ?? 0;
    return { pid, startedAt: (await processInfo(pid))?.startedAt ?? '' };
  } finally {
    await output.close();
  }
}

/** Waits until a postmaster takes connections. Answers false if it ended instead. */
export async function awaitReady(postmaster: ProcessRef, pgdata: string, logger: Logger): Promise<boolean> {
  const started = performance.now();
  let told = started;
  while (await isAlive(postmaster)) {
    const found = await findPostmaster(pgdata);
    // Whoever answers on the port may be another server: the data folder must name this one.
    if (found?.pid === postmaster.pid && found.ready && (await acceptsConnections(found.port))) return true;
    const now = performance.now();
    if (now - told > 10_000) {
      logger.info(
        { pid: postmaster.pid, seconds: Math.round((now - started) / 1_000) },
        'waiting for Postgres to recover',
      );
      told = now;
    }
    if (now - started > READY_MS) throw notReady(postmaster.pid);
    await sleep(20);
  }
  return false;
}

const notReady = (pid: number): EmbeddedPostgresError =>
  new EmbeddedPostgresError('start_failed', `Postgres (PID ${pid}) takes no connections after ten minutes.`);

/** Ends a postmaster: open transactions are rolled back, what was committed is on disk. */
export async function stopPostmaster(postmaster: ProcessRef): Promise<void> {
  await signal(postmaster, 'SIGINT');
  if (await waitForEnd(postmaster, FAST_SHUTDOWN_MS)) return;
  // Immediate shutdown: loses nothing, but the next start has to recover.
  await signal(postmaster, 'SIGQUIT');
  if (await waitForEnd(postmaster, IMMEDIATE_SHUTDOWN_MS)) return;
  throw new Error(`Postgres with PID ${postmaster.pid} does not stop.`);
}

async function signal(postmaster: ProcessRef, name: NodeJS.Signals): Promise<void> {
  if (!(await isAlive(postmaster))) return;
  try {
    process.kill(postmaster.pid, name);
  } catch {
    // It ended in between; whoever waits will see.
  }
}

/** The last lines that a postmaster wrote, for an error message. */
export async function lastWords(place: Place, pid: number): Promise<string> {
  const newest = (await logFiles(place.pgdata)).slice(-1);
  const [startup = '', log = ''] = await Promise.all(
    [join(place.folder, 'startup.log'), ...newest].map((file) => readFile(file, 'utf8').catch(() => '')),
  );
  const lines = [...startup.split('\n'), ...log.split('\n').filter((line) => line.includes(`[${pid}]`))];
  return lines
    .filter((line) => line !== '')
    .slice(-6)
    .join('\n');
}

/** Postgres begins a new log file every 10 MB and never removes one. */
export async function removeOldLogs(pgdata: string): Promise<void> {
  const old = (await logFiles(pgdata)).slice(0, -KEPT_LOGS);
  await Promise.all(old.map((file) => rm(file, { force: true })));
}

async function logFiles(pgdata: string): Promise<string[]> {
  const folder = join(pgdata, 'log');
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => LOG.test(name))
    .sort()
    .map((name) => join(folder, name));
}
