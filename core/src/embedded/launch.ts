import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../plugin/contract.ts';
import type { Binaries } from './binaries.ts';
import { EmbeddedPostgresError } from './errors.ts';
import { freePort, portTaken } from './network.ts';
import { disarmStalePidFile, findPostmaster, type Postmaster } from './pid-file.ts';
import type { Place } from './place.ts';
import { awaitReady, lastWords, spawnPostmaster, stopPostmaster } from './postmaster.ts';
import type { ProcessRef } from './processes.ts';
import { postgresArguments, type Settings } from './settings.ts';

/** What a postmaster is started with. */
export interface Launch {
  readonly place: Place;
  readonly binaries: Binaries;
  readonly settings: Settings;
  /** Undefined: any free one. */
  readonly port: number | undefined;
  readonly logger: Logger;
}

/** A postmaster that takes connections. */
export interface Launched {
  readonly postmaster: ProcessRef;
  readonly port: number;
}

const MAX_TRIES = 20;
const ORPHANS = /pre-existing shared memory block/;

/** Adopts the postmaster that a dead owner left behind, or starts one. To be called by the folder's owner only. */
export async function launch(options: Launch): Promise<Launched> {
  for (let tries = 1; ; tries++) {
    const found = await findPostmaster(options.place.pgdata);
    const launched = found === undefined ? await start(options, tries) : await adopt(options, found);
    if (launched !== undefined) return launched;
  }
}

/** Undefined: it was not one to go on with, and has ended now. */
async function adopt(options: Launch, found: Postmaster): Promise<Launched | undefined> {
  const { place, logger } = options;
  const { pid, port } = found;
  if (isAsWanted(options, found) && (await awaitReady(found, place.pgdata, logger))) {
    logger.info(
      { pid, port, dataDir: place.folder },
      'adopted the embedded Postgres of a process that is gone',
    );
    return { postmaster: found, port };
  }
  logger.info({ pid, port, dataDir: place.folder }, 'stopping an embedded Postgres that cannot be adopted');
  await stopPostmaster(found);
  return undefined;
}

/** Only a server that was started as we would start it is as good as a new one. */
function isAsWanted({ binaries, place, settings, port }: Launch, found: Postmaster): boolean {
  const command = [binaries.postgres, ...postgresArguments(place.pgdata, found.port, settings)].join(' ');
  return (
    !found.stopping &&
    found.replaced !== true &&
    found.command === command &&
    (port === undefined || port === found.port)
  );
}

/** Undefined: it ended for a reason that may be gone the next time. */
async function start(options: Launch, tries: number): Promise<Launched | undefined> {
  const { place, binaries, settings, logger } = options;
  const port = await freePort(options.port);
  await disarmStalePidFile(place.pgdata);
  const args = postgresArguments(place.pgdata, port, settings);
  const postmaster = await spawnPostmaster(place, binaries.postgres, args);
  if (await awaitReady(postmaster, place.pgdata, logger)) {
    logger.info({ pid: postmaster.pid, port, dataDir: place.folder }, 'started the embedded Postgres');
    return { postmaster, port };
  }
  const words = await lastWords(place, postmaster.pid);
  if (tries < MAX_TRIES && (await mayWorkNextTime(options, port, words))) return undefined;
  throw new EmbeddedPostgresError(
    'start_failed',
    `Postgres ended while it was starting on ${place.pgdata}. It said:\n${words}`,
  );
}

async function mayWorkNextTime(options: Launch, port: number, words: string): Promise<boolean> {
  // A start that was killed may have left a postmaster that was only just coming up.
  if ((await findPostmaster(options.place.pgdata)) !== undefined) return true;
  if (ORPHANS.test(words)) {
    // Backends of a postmaster that was killed end as soon as they notice.
    await sleep(500);
    return true;
  }
  const taken = await isTaken(port);
  if (taken && options.port !== undefined) throw portTaken(port);
  return taken;
}

const isTaken = (port: number): Promise<boolean> =>
  freePort(port).then(
    () => false,
    () => true,
  );
