import { randomBytes } from 'node:crypto';
import { chown, mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Binaries } from './binaries.ts';
import { SUPERUSER, writePassword } from './database.ts';
import { EmbeddedPostgresError } from './errors.ts';
import type { Place } from './place.ts';
import { type RunAs, runAs } from './user.ts';

const WORKSPACE = /^pgdata\.init-[0-9a-f]{8}$/;

/**
 * Makes the data folder. It is made in a workspace beside its place and renamed at the end, so that it is there
 * complete or not at all, and one that was killed half-way cannot get in the way of the next.
 */
export async function initialise(place: Place, binaries: Binaries, durable: boolean): Promise<void> {
  await removeWorkspaces(place.folder);
  const workspace = join(place.folder, `pgdata.init-${randomBytes(4).toString('hex')}`);
  const [data, passwordFile] = [join(workspace, 'data'), join(workspace, 'password')];
  const password = randomBytes(24).toString('base64url');
  await mkdir(workspace, { mode: 0o700 });
  await mkdir(data, { mode: 0o700 });
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  await give(place.user, workspace, data, passwordFile);
  await initdb(place.user, binaries, initdbArguments(data, passwordFile, durable));
  await give(place.user, await writePassword(data, password));
  await rename(data, place.pgdata);
  await rm(workspace, { recursive: true, force: true });
  await syncFolder(place.folder);
}

const initdbArguments = (data: string, passwordFile: string, durable: boolean): string[] => [
  `--pgdata=${data}`,
  `--username=${SUPERUSER}`,
  `--pwfile=${passwordFile}`,
  '--auth=scram-sha-256',
  '--encoding=UTF8',
  // Built into Postgres: sorts and folds alike on every machine, with no locale installed.
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
  '--locale=C',
  ...(durable ? [] : ['--no-sync']),
];

async function initdb(user: RunAs | undefined, binaries: Binaries, args: readonly string[]): Promise<void> {
  try {
    await runAs(user, binaries.initdb, args);
  } catch (error) {
    throw initFailed(error);
  }
}

/** What a start that was killed left behind. Its initdb may still be writing for a moment. */
async function removeWorkspaces(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!WORKSPACE.test(name)) continue;
    await rm(join(folder, name), { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

async function give(user: RunAs | undefined, ...paths: string[]): Promise<void> {
  if (user === undefined) return;
  try {
    for (const path of paths) await chown(path, user.uid, user.gid);
  } catch (error) {
    throw cannotGive(user, error);
  }
}

/** The rename itself must survive a power failure. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const initFailed = (cause: unknown): EmbeddedPostgresError => {
  const reason = (cause as { stderr?: string }).stderr?.trim() || String(cause);
  return new EmbeddedPostgresError('init_failed', `initdb could not make a database: ${reason}`, { cause });
};

const cannotGive = (user: RunAs, cause: unknown): EmbeddedPostgresError =>
  new EmbeddedPostgresError(
    'folder_forbidden',
    `As root, Postgres runs as the user with uid ${user.uid}, but files cannot be given to that user: ${cause}. ` +
      'Choose a data folder on another file system (BATCHSENDER_DATA), or start as a normal user.',
    { cause },
  );
