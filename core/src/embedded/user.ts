import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { EmbeddedPostgresError, hasCode } from './errors.ts';

const run = promisify(execFile);

/** The system user that runs Postgres; undefined means the one that runs this process. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

/** Postgres refuses to run as root, so root lends it one of these, the first that exists. */
const CANDIDATES = ['postgres', 'nobody'];

async function lookUp(name: string): Promise<RunAs | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
    const found = { uid: Number(uid.stdout), gid: Number(gid.stdout) };
    return Number.isInteger(found.uid) && found.uid !== 0 ? found : undefined;
  } catch {
    return undefined;
  }
}

async function ownerOf(folder: string): Promise<RunAs | undefined> {
  try {
    const { uid, gid } = await stat(folder);
    return { uid, gid };
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/**
 * Who runs Postgres: as root the owner of the data (it never changes hands), else `postgres`, else `nobody`;
 * otherwise ourselves. No user is ever added to the system.
 */
export async function chooseUser(pgdata: string): Promise<RunAs | undefined> {
  const self = process.getuid?.();
  const owner = await ownerOf(pgdata);
  if (self !== 0) {
    if (owner !== undefined && owner.uid !== self) throw notOurs(pgdata, owner);
    return undefined;
  }
  if (owner !== undefined && owner.uid !== 0) return owner;
  for (const name of CANDIDATES) {
    const found = await lookUp(name);
    if (found !== undefined) return found;
  }
  throw new EmbeddedPostgresError(
    'no_unprivileged_user',
    `Postgres refuses to run as root, and this system has no user ${CANDIDATES.map((name) => `"${name}"`).join(' or ')}. ` +
      'Start BatchSender as a normal user, add one of these users, or set DATABASE_URL to a Postgres of your own.',
  );
}

const notOurs = (pgdata: string, owner: RunAs): EmbeddedPostgresError =>
  new EmbeddedPostgresError(
    'folder_forbidden',
    `The database in ${pgdata} belongs to the user with uid ${owner.uid}. ` +
      'Start BatchSender as that user or as root, or choose another data folder (BATCHSENDER_DATA).',
  );

/** What a child sees of our environment: no secrets, and nothing that changes how Postgres behaves. */
export const childEnvironment = (): NodeJS.ProcessEnv => ({ PATH: process.env['PATH'], LC_ALL: 'C' });

/** Runs a program to its end as that user and answers its output. Rejects if it fails or takes five minutes. */
export async function runAs(user: RunAs | undefined, file: string, args: readonly string[]): Promise<string> {
  const { stdout } = await run(file, [...args], {
    ...user,
    cwd: '/',
    env: childEnvironment(),
    timeout: 300_000,
  });
  return stdout;
}

/** True if the user can enter the folder. Asked by trying, since ACLs and mounts decide too. */
export async function canEnter(user: RunAs | undefined, folder: string): Promise<boolean> {
  try {
    await runAs(user, '/bin/sh', ['-c', 'cd -- "$1"', 'sh', folder]);
    return true;
  } catch {
    return false;
  }
}
