import type pg from 'pg';
import { MIGRATIONS } from './migrations.ts';
import { monthPartitions } from './partitions.ts';

const LOCK = 7_266_103;
const MONTHS_AHEAD = 2;

/**
 * Brings the schema up to date. Safe when many start at once: they take turns by an advisory
 * lock. A schema that is newer than this code is left alone (a release works on the next one's schema).
 */
export async function migrate(pool: pg.Pool, schema: string): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query(`SET LOCAL lock_timeout = '30s'`);
    await client.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [LOCK, schema]);
    const quoted = quote(schema);
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${quoted}`);
    await client.query(
      `CREATE TABLE IF NOT EXISTS ${quoted}.migrations (version int PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())`,
    );
    const { rows } = await client.query<{ version: number }>(`SELECT version FROM ${quoted}.migrations`);
    const done = new Set(rows.map((row) => row.version));
    for (const migration of MIGRATIONS) {
      if (done.has(migration.version)) continue;
      await client.query(migration.sql.replaceAll('$S', quoted));
      await client.query(`INSERT INTO ${quoted}.migrations (version) VALUES ($1)`, [migration.version]);
    }
    await createPartitions(client, quoted);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}

/** Makes the partitions of this month and the next ones, where they are missing. */
export async function createPartitions(client: pg.ClientBase, quoted: string): Promise<void> {
  for (const { suffix, from, to } of monthPartitions(new Date(), MONTHS_AHEAD)) {
    for (const table of ['jobs', 'job_events']) {
      const { rows } = await client.query<{ missing: boolean }>('SELECT to_regclass($1) IS NULL AS missing', [
        `${quoted}.${table}_${suffix}`,
      ]);
      if (rows[0]?.missing !== true) continue;
      await client.query(
        `CREATE TABLE ${quoted}.${table}_${suffix} PARTITION OF ${quoted}.${table} FOR VALUES FROM ('${from}') TO ('${to}')`,
      );
    }
  }
}

/** A quoted SQL identifier. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
