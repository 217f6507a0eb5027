import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, escapeIdentifier } from 'pg';

/** A database of the benchmark's own: made at the start, dropped at the end. */
export interface BenchDatabase {
  readonly url: string;
  readonly client: Client;
  /** For the report, without a password. */
  readonly where: string;
  close(): Promise<void>;
}

/** Opens a fresh database on the server that the environment names, else on an embedded one. */
export async function openDatabase(): Promise<BenchDatabase> {
  const given = process.env['BENCH_DATABASE_URL'] ?? process.env['TEST_DATABASE_URL'];
  const server =
    given === undefined
      ? await startEmbedded()
      : { url: given, where: 'given server', stop: async () => undefined };
  const name = `batchsender_bench_${process.pid}`;
  const admin = new Client({ connectionString: server.url });
  await admin.connect();
  try {
    await admin.query(`CREATE DATABASE ${escapeIdentifier(name)}`);
  } catch (error) {
    await admin.end();
    await server.stop();
    throw new Error(
      'The benchmark needs a database of its own: let BENCH_DATABASE_URL name a user that may create one',
      {
        cause: error,
      },
    );
  }
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  const client = new Client({ connectionString: url.href });
  await client.connect();
  return {
    url: url.href,
    client,
    where: server.where,
    close: async () => {
      await client.end();
      await admin.query(`DROP DATABASE ${escapeIdentifier(name)} WITH (FORCE)`);
      await admin.end();
      await server.stop();
    },
  };
}

async function startEmbedded() {
  const { startEmbeddedPostgres } = await import('@batchsender/core/embedded');
  const dataDir = await mkdtemp(join(tmpdir(), 'batchsender-bench-'));
  const postgres = await startEmbeddedPostgres({ dataDir });
  const stop = async () => {
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  return { url: postgres.url, where: 'embedded', stop };
}

export async function dropSchemas(client: Client, schemas: readonly string[]): Promise<void> {
  for (const schema of schemas)
    await client.query(`DROP SCHEMA IF EXISTS ${escapeIdentifier(schema)} CASCADE`);
}

/**
 * Brings everybody to the same start: statistics and visibility are fresh, and the next change
 * of any page writes its full image to the log, as it does after every checkpoint.
 */
export async function settle(client: Client, schema: string): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = $1",
    [schema],
  );
  if (rows.length > 0) await client.query(`VACUUM (ANALYZE) ${rows.map((row) => row.name).join(', ')}`);
  await client.query('CHECKPOINT');
}

/** Bytes of write-ahead log since the cluster was made. Other databases of the server count too. */
export async function walPosition(client: Client): Promise<number> {
  const { rows } = await client.query<{ bytes: string }>(
    "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') AS bytes",
  );
  return Number(rows[0]?.bytes);
}
