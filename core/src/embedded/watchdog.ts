import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from '../plugin/contract.ts';
import type { Place } from './place.ts';
import { type ProcessRef, processInfo } from './processes.ts';
import { childEnvironment } from './user.ts';

/** What the watchdog must know to stop Postgres for a parent that died. */
export interface WatchdogOrders {
  readonly folder: string;
  readonly pgdata: string;
  readonly parent: ProcessRef;
}

/** A process that stops Postgres as soon as this one is gone, however that happens. */
export interface Watchdog {
  /** Ends it. To be called when Postgres has stopped. */
  dismiss(): void;
}

/**
 * Waits in a small shell for the end of the pipe, which comes with the parent's end, and only then becomes a
 * Node process. Signals that go to a whole group of processes must not hit it.
 */
const SCRIPT = 'trap \'\' INT TERM HUP; while read -r _; do :; done; exec "$@"';
const RESPAWN_MS = 1_000;

/** Starts the watchdog; another one follows if it is killed. */
export async function startWatchdog(place: Place, logger: Logger): Promise<Watchdog> {
  const startedAt = (await processInfo(process.pid))?.startedAt ?? '';
  const orders: WatchdogOrders = {
    folder: place.folder,
    pgdata: place.pgdata,
    parent: { pid: process.pid, startedAt },
  };
  let dismissed = false;
  let child: ChildProcess;
  const start = () => {
    if (dismissed) return;
    child = spawnWatchdog(orders);
    child.once('error', (error) =>
      logger.error({ err: error }, 'the watchdog of the embedded Postgres cannot start'),
    );
    child.once('exit', () => {
      if (dismissed) return;
      logger.warn({ pid: child.pid }, 'the watchdog of the embedded Postgres was killed; starting another');
      setTimeout(start, RESPAWN_MS).unref();
    });
  };
  start();
  return {
    dismiss: () => {
      dismissed = true;
      child.kill('SIGKILL');
    },
  };
}

function spawnWatchdog(orders: WatchdogOrders): ChildProcess {
  // The same ending as this file: `.ts` from source, `.js` when built.
  const stopper = fileURLToPath(new URL(`./stopper${extname(import.meta.url)}`, import.meta.url));
  const args = ['-c', SCRIPT, 'batchsender-watchdog', process.execPath, stopper, JSON.stringify(orders)];
  const child = spawn('/bin/sh', args, {
    cwd: '/',
    env: childEnvironment(),
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.unref();
  child.stdin?.on('error', () => undefined);
  if (child.stdin instanceof Socket) child.stdin.unref();
  return child;
}
