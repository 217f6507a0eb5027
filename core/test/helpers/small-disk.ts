import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { type TestDatabase, testDatabase } from './postgres.ts';

const run = promisify(execFile);

/** A database on a disk of its own that can be full. */
export interface SmallDisk extends TestDatabase {
  /** Writes until nothing more fits. */
  fill(): Promise<void>;
  /** The disk becomes larger. */
  free(): Promise<void>;
}

const SIZE = '48m';
const LARGER = '200m';

/**
 * Makes a database in a tablespace on a small tmpfs: Postgres itself says that the disk is full.
 * @throws Error where this process may not mount one: that needs root.
 */
export async function smallDisk(): Promise<SmallDisk> {
  const database = await testDatabase();
  const name = new URL(database.url).pathname.slice(1);
  const adminUrl = new URL(database.url);
  adminUrl.pathname = '/postgres';
  const admin = new pg.Client({ connectionString: adminUrl.href });
  await admin.connect();
  const disk = await mkdtemp(join(tmpdir(), 'batchsender-full-'));
  const drop = async () => {
    await database.drop();
    await admin.query(`DROP TABLESPACE IF EXISTS ${name}`);
    await admin.end();
    await run('umount', [disk]).catch(() => undefined);
    await rm(disk, { recursive: true, force: true });
  };
  const client = new pg.Client({ connectionString: database.url });
  client.on('error', () => undefined);
  try {
    await mount(admin, disk, name);
    await client.connect();
    // Compressed text would not fill anything.
    await client.query('CREATE TABLE filler (text text); ALTER TABLE filler ALTER text SET STORAGE PLAIN');
  } catch (error) {
    await drop();
    throw error;
  }
  return {
    url: database.url,
    fill: () => fill(client),
    free: async () => {
      await run('mount', ['-o', `remount,size=${LARGER}`, disk]);
    },
    drop: async () => {
      await client.end();
      await drop();
    },
  };
}

async function mount(admin: pg.Client, disk: string, name: string): Promise<void> {
  const { rows } = await admin.query<{ folder: string }>(
    `SELECT current_setting('data_directory') AS folder`,
  );
  const { uid, gid } = await stat(rows[0]?.folder ?? '');
  await run('mount', ['-t', 'tmpfs', '-o', `size=${SIZE},mode=0755`, 'tmpfs', disk]);
  // Whoever runs Postgres must reach it, whatever the temporary folder's own mode is.
  await chmod(disk, 0o755);
  const folder = join(disk, 'space');
  await mkdir(folder, { mode: 0o700 });
  await chown(folder, uid, gid);
  await admin.query(`CREATE TABLESPACE ${name} LOCATION '${folder}'`);
  await admin.query(`ALTER DATABASE ${name} SET TABLESPACE ${name}`);
}

/** In ever smaller pieces: a piece that does not fit leaves its room free. */
async function fill(client: pg.Client): Promise<void> {
  for (const pages of [256, 16, 1]) {
    for (let fits = true; fits; ) {
      fits = await client
        .query(`INSERT INTO filler SELECT repeat('x', 7000) FROM generate_series(1, ${pages})`)
        .then(() => true)
        .catch((error: { code?: string }) => {
          if (error.code !== '53100') throw error;
          return false;
        });
    }
  }
}
