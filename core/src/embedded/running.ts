import type { Logger } from '../plugin/contract.ts';
import { SUPERUSER } from './database.ts';
import type { Launched } from './launch.ts';
import type { Claim } from './owner.ts';
import type { Place } from './place.ts';
import { removeOldLogs, stopPostmaster } from './postmaster.ts';
import { isAlive } from './processes.ts';
import type { Watchdog } from './watchdog.ts';

/** An embedded Postgres that takes connections. */
export interface EmbeddedPostgres {
  /** With the password in it: not for logs. */
  readonly url: string;
  readonly port: number;
  /** Of the postmaster. */
  readonly pid: number;
  /** The folder where the data really is. */
  readonly dataDir: string;
  /** Fast shutdown: open transactions are rolled back. May be called more than once; all calls end together. */
  stop(): Promise<void>;
}

/** What we hold while it runs. */
export interface Held {
  readonly place: Place;
  readonly owned: Claim;
  readonly watchdog: Watchdog;
  readonly logger: Logger;
}

const CHECK_MS = 2_000;
const REMOVE_LOGS_MS = 3_600_000;

/** The handle for a launched server; looks after it until it is stopped. */
export function running(
  held: Held,
  { postmaster, port }: Launched,
  password: string,
  onUnexpectedEnd?: () => void,
): EmbeddedPostgres {
  let stopping: Promise<void> | undefined;
  const isStopping = () => stopping !== undefined;
  const timers = [watchForEnd(held, postmaster, isStopping, onUnexpectedEnd), keepLogsShort(held)];
  const stop = async () => {
    for (const timer of timers) clearInterval(timer);
    await stopPostmaster(postmaster);
    held.watchdog.dismiss();
    await held.owned.release();
    held.logger.info({ pid: postmaster.pid, dataDir: held.place.folder }, 'stopped the embedded Postgres');
  };
  return {
    url: `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/postgres`,
    port,
    pid: postmaster.pid,
    dataDir: held.place.folder,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}

function watchForEnd(
  { logger }: Held,
  postmaster: Launched['postmaster'],
  isStopping: () => boolean,
  onUnexpectedEnd?: () => void,
): NodeJS.Timeout {
  const timer = setInterval(async () => {
    if ((await isAlive(postmaster)) || isStopping()) return;
    clearInterval(timer);
    logger.error(
      { pid: postmaster.pid },
      'the embedded Postgres has ended by itself; its log is in the data folder',
    );
    onUnexpectedEnd?.();
  }, CHECK_MS);
  return timer.unref();
}

function keepLogsShort({ place }: Held): NodeJS.Timeout {
  const remove = () => void removeOldLogs(place.pgdata).catch(() => undefined);
  remove();
  return setInterval(remove, REMOVE_LOGS_MS).unref();
}
