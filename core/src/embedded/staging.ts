import { createHash, randomBytes } from 'node:crypto';
import {
  chmod,
  constants,
  copyFile,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { type Binaries, binariesIn, majorVersion } from './binaries.ts';
import { EmbeddedPostgresError, hasCode } from './errors.ts';
import type { RunAs } from './user.ts';

const PREFIX = 'binaries-';
const COPY = /^binaries-[0-9a-f]{12}(\.[0-9a-f]{8})?$/;

/** Binaries that the user can run, and their major version. */
export interface UsableBinaries {
  readonly binaries: Binaries;
  readonly major: number;
}

/**
 * The installed binaries if the user can run them where they are, else a copy of them in `folder`: their own
 * place may be out of reach, or lack the symbolic links that npm makes only where install scripts may run.
 */
export async function usableBinaries(
  installed: Binaries,
  user: RunAs | undefined,
  folder: string,
): Promise<UsableBinaries> {
  const major = await majorVersion(installed, user);
  if (major !== undefined) return { binaries: installed, major };
  const copy = binariesIn(join(folder, await stagedName(installed)));
  if ((await majorVersion(copy, user)) === undefined) await stage(installed, copy);
  const copiedMajor = await majorVersion(copy, user);
  if (copiedMajor !== undefined) return { binaries: copy, major: copiedMajor };
  throw new EmbeddedPostgresError(
    'binaries_unusable',
    `The Postgres binaries do not run on this system, neither in ${installed.root} nor in ${copy.root}. ` +
      'They need a Linux with glibc, or macOS, and a folder that is not mounted noexec. ' +
      'Otherwise set DATABASE_URL to a Postgres of your own.',
  );
}

/** Removes copies of other releases. To be called when no server runs from them. */
export async function removeOldCopies(folder: string, inUse: Binaries): Promise<void> {
  for (const name of await readdir(folder)) {
    if (COPY.test(name) && name !== basename(inUse.root))
      await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** Another install or release gets another name. */
async function stagedName(installed: Binaries): Promise<string> {
  const { size, mtimeMs } = await stat(installed.postgres);
  const text = `${installed.root} ${size} ${mtimeMs}`;
  return PREFIX + createHash('sha256').update(text).digest('hex').slice(0, 12);
}

async function stage(installed: Binaries, copy: Binaries): Promise<void> {
  const partial = `${copy.root}.${randomBytes(4).toString('hex')}`;
  await copyTree(installed.root, partial);
  await addSymlinks(partial);
  await rm(copy.root, { recursive: true, force: true });
  await rename(partial, copy.root);
}

/** Copies for everybody to read, whatever the modes of the original: it may be private. */
async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to);
  await chmod(to, 0o755);
  const entries = await readdir(from, { withFileTypes: true });
  await Promise.all(
    entries.map(async (entry) => {
      const [source, target] = [join(from, entry.name), join(to, entry.name)];
      if (entry.isDirectory()) return copyTree(source, target);
      if (entry.isSymbolicLink()) return symlink(await readlink(source), target);
      // Static libraries are for compilers.
      if (!entry.isFile() || entry.name.endsWith('.a')) return;
      await copyFile(source, target, constants.COPYFILE_FICLONE);
      await chmod(target, basename(from) === 'bin' ? 0o755 : 0o644);
    }),
  );
}

/** npm packages hold no symbolic links; this one lists those that it needs, as `native/lib/…`. */
async function addSymlinks(root: string): Promise<void> {
  const list = await readFile(join(root, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(root, relative('native', target));
    await symlink(relative(dirname(target), source), link).catch((error: unknown) => {
      if (!hasCode(error, 'EEXIST')) throw error;
    });
  }
}
