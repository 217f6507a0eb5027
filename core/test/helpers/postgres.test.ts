import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { testDatabase, testServers } from './postgres.ts';

describe.each(testServers())('a test database on $name', (server) => {
  it('is fresh, takes queries, and is gone after drop even with open sessions', async () => {
    const database = await testDatabase(server);
    const client = new pg.Client({ connectionString: database.url });
    client.on('error', () => {});
    await client.connect();
    const { rows } = await client.query('SELECT count(*)::int AS n FROM pg_tables WHERE schemaname = $1', [
      'public',
    ]);
    expect(rows).toEqual([{ n: 0 }]);
    await database.drop();
    await expect(new pg.Client({ connectionString: database.url }).connect()).rejects.toThrow(
      /does not exist/,
    );
  });
});
