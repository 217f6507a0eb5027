import { access, chmod, constants, mkdir, readdir, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../plugin/contract.ts';
import { elsewhereFor, exists, readNote, writeNote } from './elsewhere.ts';
import { EmbeddedPostgresError, hasCode } from './errors.ts';
import { canEnter, chooseUser, type RunAs } from './user.ts';

/** Where the data lives and who runs Postgres on it. */
export interface Place {
  /** The folder that was asked for, without symbolic links. */
  readonly wanted: string;
  /** The folder that holds the data: `wanted`, unless the user who runs Postgres cannot reach that. */
  readonly folder: string;
  /** Postgres's own data folder in it. Exists only when it is complete. */
  readonly pgdata: string;
  readonly user: RunAs | undefined;
}

/** Marks a folder as ours, before anything else is put into it. */
const MARKER = 'batchsender-postgres.json';
/** Decides where the data lives, and makes that folder. Nothing that exists is moved or removed. */
export async function findPlace(dataDir: string, staging: readonly string[], logger: Logger): Promise<Place> {
  const wanted = await makeFolder(dataDir);
  const noted = await readNote(wanted);
  if (noted !== undefined) return describe(wanted, noted, logger);
  const pgdata = join(wanted, 'pgdata');
  const user = await chooseUser(pgdata);
  if (user === undefined || (await canEnter(user, wanted))) return { wanted, folder: wanted, pgdata, user };
  if (await exists(pgdata)) throw unreachable(wanted, user);
  const elsewhere = await makeFolder(await elsewhereFor(wanted, staging));
  if (await exists(join(elsewhere, 'pgdata'))) {
    logger.warn(
      { dataDir: elsewhere },
      'found the data of an earlier start there; delete that folder to begin empty',
    );
  }
  await writeNote(wanted, elsewhere);
  return describe(wanted, elsewhere, logger);
}

async function describe(wanted: string, folder: string, logger: Logger): Promise<Place> {
  const pgdata = join(folder, 'pgdata');
  const user = await chooseUser(pgdata);
  logger.warn(
    { wanted, dataDir: folder },
    'the user who runs the embedded Postgres cannot reach the wanted data folder; its data is elsewhere',
  );
  return { wanted, folder, pgdata, user };
}

/** Makes the folder and marks it as ours; refuses one with other things in it. */
async function makeFolder(path: string): Promise<string> {
  try {
    const made = await mkdir(path, { recursive: true });
    const folder = await realpath(path);
    // Whatever the umask: the user who runs Postgres must be able to pass.
    if (made !== undefined) await chmod(folder, 0o755);
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    await mark(folder);
    return folder;
  } catch (error) {
    throw hasCode(error, 'EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST') ? forbidden(path, error) : error;
  }
}

async function mark(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name !== 'lost+found' && !name.startsWith('.'));
  if (names.includes(MARKER)) return;
  if (names.length > 0) throw foreign(folder, names);
  await writeFile(join(folder, MARKER), `${JSON.stringify({ format: 1 })}\n`);
}

const foreign = (folder: string, names: readonly string[]): EmbeddedPostgresError =>
  new EmbeddedPostgresError(
    'folder_foreign',
    `The data folder ${folder} holds things that BatchSender did not put there (${names.slice(0, 3).join(', ')}). ` +
      'Nothing was changed. Choose an empty folder, or one that does not exist yet (BATCHSENDER_DATA).',
  );

const forbidden = (path: string, cause: unknown): EmbeddedPostgresError =>
  new EmbeddedPostgresError(
    'folder_forbidden',
    `The data folder ${path} cannot be made or written: ${cause instanceof Error ? cause.message : cause}. ` +
      'Choose another one (BATCHSENDER_DATA), or start as the user that owns it.',
    { cause },
  );

const unreachable = (folder: string, user: RunAs): EmbeddedPostgresError =>
  new EmbeddedPostgresError(
    'folder_forbidden',
    `The database in ${folder} belongs to the user with uid ${user.uid}, who can no longer reach that folder. ` +
      'Let others pass the folders above it (chmod o+x), or move the data folder to such a place.',
  );
