import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LoopOptions } from '../../chaos/command.ts';
import { lostReplies } from '../../chaos/lost-replies.ts';
import { sigterms } from '../../chaos/sigterms.ts';
import { type TestDatabase, testDatabase } from '../helpers/postgres.ts';

// On a loaded machine it takes its time.
vi.setConfig({ testTimeout: 180_000 });

let database: TestDatabase;
let options: LoopOptions;
beforeEach(async () => {
  database = await testDatabase();
  const pool = new pg.Pool({ connectionString: database.url, max: 2 });
  pool.on('error', () => undefined);
  options = { database: { url: database.url, pool }, count: 0, seed: 7, say: () => undefined };
});
afterEach(async () => {
  await options.database.pool.end();
  await database.drop();
});

describe('the loops that prove the promises, with small numbers', () => {
  it('E2, E7, E9: lost COMMIT replies and dropped provider replies leave nothing unmarked', async () => {
    const { figures, problems } = await lostReplies({ ...options, count: 25 });
    expect(problems).toEqual([]);
    expect(figures).toMatchObject({ 'COMMIT replies lost': 25, 'provider replies dropped': 25, stuck: 0 });
  });

  it('SIGTERM under load: no duplicate, and no unknown where calls fit the grace period', async () => {
    const { figures, problems } = await sigterms({ ...options, count: 3 });
    expect(problems).toEqual([]);
    expect(figures).toMatchObject({ SIGTERMs: 3, repeated: 0, unknown: 0, stuck: 0 });
  });
});
