import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { EmbeddedPostgresError } from './errors.ts';

/** In the wanted folder: where the data is instead. */
const NOTE = 'data-is-elsewhere.json';

/** Where data is put that the user who runs Postgres could not reach; the first writable one. */
export const stagingFolders = (): string[] => [
  '/var/lib/batchsender',
  // Kept over a reboot, which the temporary folder may not be.
  '/var/tmp/batchsender',
  join(tmpdir(), 'batchsender'),
];

/** A folder of its own for the data of `wanted`, the same at each start. */
export async function elsewhereFor(wanted: string, staging: readonly string[]): Promise<string> {
  const name = createHash('sha256').update(wanted).digest('hex').slice(0, 16);
  for (const base of staging) {
    if (await canStageIn(base)) return join(base, name);
  }
  throw new EmbeddedPostgresError(
    'folder_forbidden',
    `The user who runs the embedded Postgres cannot reach ${wanted}, and there is no place for the data in ` +
      `${staging.join(' or ')}. Choose a data folder outside of private folders such as /root (BATCHSENDER_DATA).`,
  );
}

/** Leaves a note in the wanted folder about where its data is. */
export async function writeNote(wanted: string, place: string): Promise<void> {
  const file = join(wanted, NOTE);
  await writeFile(`${file}.new`, `${JSON.stringify({ place })}\n`);
  await rename(`${file}.new`, file);
}

/** Where the data of the wanted folder is, if it is not there. */
export async function readNote(wanted: string): Promise<string | undefined> {
  const file = join(wanted, NOTE);
  if (!(await exists(file))) return undefined;
  const { place } = JSON.parse(await readFile(file, 'utf8')) as { place: string };
  // Somebody else could have made it anew after a cleaning of the temporary folder.
  if ((await exists(place)) && (await isOursAlone(dirname(place)))) return place;
  throw new EmbeddedPostgresError(
    'folder_lost',
    `The data of ${wanted} was put into ${place}, which is gone. ` +
      `Restore that folder, or delete ${file} to begin with an empty database.`,
  );
}

async function canStageIn(base: string): Promise<boolean> {
  try {
    const made = await mkdir(base, { recursive: true });
    if (made !== undefined) await chmod(base, 0o755);
    return await isOursAlone(base);
  } catch {
    return false;
  }
}

/** True if nobody else could plant files in the folder. */
async function isOursAlone(folder: string): Promise<boolean> {
  const { uid, mode } = await stat(folder);
  return (uid === 0 || uid === process.getuid?.()) && (mode & 0o022) === 0;
}

/** True if there is something at this path. */
export const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
