import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { expect, it } from 'vitest';
import { testDatabase } from '../../../core/test/helpers/postgres.ts';

const APP = fileURLToPath(new URL('../app.ts', import.meta.url));

const EXPECTED = `An order whose payment was refused, so that its transaction was rolled back:
  the order does not exist
  its batch does not exist
An order whose transaction was committed:
  the order exists
  its batch exists
What became of the calls about it:
  accounting: succeeded, attempts: 1
  warehouse: succeeded, attempts: 2
  old-reseller: failed (http_410), attempts: 1
`;

/** Runs the example with nothing in its environment but what is given; rejects if it ends with an error. */
const run = (env: Record<string, string>) =>
  promisify(execFile)(process.execPath, ['--conditions=@batchsender/source', APP], {
    env: { PATH: process.env['PATH'], ...env },
    timeout: 50_000,
  });

async function rows(url: string, text: string): Promise<readonly object[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<object>(text)).rows;
  } finally {
    await client.end();
  }
}

it('stores an order with its batch or neither, and prints the fate of each job', async () => {
  const database = await testDatabase();
  try {
    const { stdout, stderr } = await run({ DATABASE_URL: database.url });
    expect({ stdout, stderr }).toEqual({ stdout: EXPECTED, stderr: '' });
    expect(await rows(database.url, 'SELECT customer, cents FROM example_shop.orders')).toEqual([
      { customer: 'Ada', cents: 4_200 },
    ]);
    const batches = 'SELECT name, state, total FROM batchsender.batches';
    expect(await rows(database.url, batches)).toEqual([
      { name: expect.stringMatching(/^order \d+$/), state: 'completed', total: 3 },
    ]);
  } finally {
    await database.drop();
  }
});

it('brings its own Postgres where no database is given, and runs again on the same data', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'batchsender-example-'));
  // As root, Postgres runs as another user, who has to reach this folder.
  chmodSync(folder, 0o755);
  try {
    for (let time = 0; time < 2; time++) {
      const { stdout, stderr } = await run({ BATCHSENDER_DATA: join(folder, 'data') });
      expect(stdout).toBe(
        `Starting an embedded Postgres. Set DATABASE_URL to use one of your own.\n${EXPECTED}`,
      );
      expect(stderr).toBe('');
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it('ends with an error if the database cannot be reached', async () => {
  await expect(run({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' })).rejects.toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('ECONNREFUSED'),
  });
});
