import type pg from 'pg';
import { MIGRATIONS } from './migrations.ts';
import { monthPartitions } from './partitions.ts';

const LOCK = 7_266_103;
const MONTHS_AHEAD = 2;

/** Tables with the names of their partitions; those of the events are older than the table's name (migration 10). */
const PARTITIONED = [
  ['jobs', 'jobs'],
  ['job_event_rows', 'job_events'],
  ['job_fences', 'job_fences'],
] as const;

/**
 * Brings the schema up to date. Safe when many start at once: they take turns by an advisory
 * lock. A schema that is newer than this code is left alone (a release works on the next one's schema).
 */
export async function migrate(pool: pg.Pool, schema: string): Promise<void> {
  const quoted = quote(schema);
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query(`SET LOCAL lock_timeout = '30s'`);
    await client.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [LOCK, quoted]);
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${quoted}`);
    await client.query(
      `CREATE TABLE IF NOT EXISTS ${quoted}.migrations (version int PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())`,
    );
    const { rows } = await client.query<{ version: number }>(`SELECT version FROM ${quoted}.migrations`);
    const done = new Set(rows.map((row) => row.version));
    for (const migration of MIGRATIONS) {
      if (done.has(migration.version)) continue;
      await client.query(inSchema(migration.sql, quoted));
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

function inSchema(sql: string, quoted: string): string {
  // A function, since a name may hold what a replacement text would interpret.
  return sql.replaceAll(/\$[SL]/g, (mark) => (mark === '$S' ? quoted : quoted.replaceAll("'", "''")));
}

/**
 * Makes the partitions of this month and the next ones, where they are missing; in a transaction
 * of the caller. Those who do it at once take turns.
 */
export async function createPartitions(client: pg.ClientBase, quoted: string): Promise<void> {
  await client.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [LOCK, quoted]);
  for (const { suffix, from, to } of monthPartitions(new Date(), MONTHS_AHEAD)) {
    for (const [table, prefix] of PARTITIONED) {
      const name = `${quoted}.${prefix}_${suffix}`;
      const { rows } = await client.query<{ missing: boolean }>('SELECT to_regclass($1) IS NULL AS missing', [
        name,
      ]);
      if (rows[0]?.missing !== true) continue;
      await createPartition(
        client,
        `CREATE TABLE ${name} PARTITION OF ${quoted}.${table} FOR VALUES FROM ('${from}') TO ('${to}')`,
      );
    }
  }
}

const CHECK_VIOLATION = '23514';

/** Rows of a clock that was wrong are in the default partition: then the month stays there. */
async function createPartition(client: pg.ClientBase, sql: string): Promise<void> {
  await client.query('SAVEPOINT partition');
  try {
    await client.query(sql);
    await client.query('RELEASE SAVEPOINT partition');
  } catch (error) {
    if ((error as { code?: unknown }).code !== CHECK_VIOLATION) throw error;
    await client.query('ROLLBACK TO SAVEPOINT partition');
  }
}

/** A quoted SQL identifier. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
