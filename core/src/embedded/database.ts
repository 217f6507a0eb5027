import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedPostgresError, hasCode } from './errors.ts';

/** The superuser of the embedded server. */
export const SUPERUSER = 'batchsender';

/** In Postgres's data folder, so that it moves with it and a later start can adopt the server. */
const CREDENTIALS = 'batchsender.json';

/** The major version that made a data folder; undefined if there is none yet. */
export async function dataVersion(pgdata: string): Promise<number | undefined> {
  try {
    return Number.parseInt(await readFile(join(pgdata, 'PG_VERSION'), 'utf8'), 10);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    await refuseOtherContent(pgdata);
    return undefined;
  }
}

async function refuseOtherContent(pgdata: string): Promise<void> {
  const names = await readdir(pgdata).catch(() => []);
  if (names.length === 0) return;
  throw new EmbeddedPostgresError(
    'folder_foreign',
    `${pgdata} is not a Postgres data folder, but not empty. Nothing was changed. ` +
      'Move it away, or choose another data folder (BATCHSENDER_DATA).',
  );
}

/** Writes the superuser's password, for its owner's eyes only, and answers the file's path. */
export async function writePassword(pgdata: string, password: string): Promise<string> {
  const file = join(pgdata, CREDENTIALS);
  await writeFile(file, `${JSON.stringify({ password })}\n`, { mode: 0o600, flush: true });
  return file;
}

/** The superuser's password of a complete data folder. */
export async function readPassword(pgdata: string): Promise<string> {
  const file = join(pgdata, CREDENTIALS);
  try {
    return (JSON.parse(await readFile(file, 'utf8')) as { password: string }).password;
  } catch (error) {
    throw withoutPassword(file, error);
  }
}

const withoutPassword = (file: string, cause: unknown): EmbeddedPostgresError =>
  new EmbeddedPostgresError(
    'folder_foreign',
    `There is a Postgres data folder, but BatchSender's password file ${file} cannot be read. Nothing was changed. ` +
      'Restore that file, or choose another data folder (BATCHSENDER_DATA).',
    { cause },
  );
