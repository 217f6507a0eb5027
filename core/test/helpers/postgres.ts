import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import type {} from './global-setup.ts';

/** A Postgres server that tests may make databases on. */
export interface TestServer {
  /** `embedded`, or the host and port of `TEST_DATABASE_URL`. */
  readonly name: string;
  readonly url: string;
}

/** A database of its own for a test. */
export interface TestDatabase {
  readonly url: string;
  /** Ends all its sessions and drops it. */
  drop(): Promise<void>;
}

const givenUrl = process.env['TEST_DATABASE_URL'];

/**
 * The servers that version-sensitive suites run against, for `describe.each(testServers())`: always the embedded
 * one, and the one of `TEST_DATABASE_URL` if it is set (its user needs CREATEDB).
 */
export function testServers(): TestServer[] {
  const embedded = { name: 'embedded', url: inject('embeddedPostgresUrl') };
  return givenUrl ? [embedded, { name: new URL(givenUrl).host, url: givenUrl }] : [embedded];
}

/** Makes a fresh, empty database on `server`. Default: that of `TEST_DATABASE_URL`, else the embedded one. */
export async function testDatabase(server?: TestServer): Promise<TestDatabase> {
  const serverUrl = server?.url ?? givenUrl ?? inject('embeddedPostgresUrl');
  const name = `test_${randomBytes(8).toString('hex')}`;
  await execute(serverUrl, `CREATE DATABASE ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => execute(serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
