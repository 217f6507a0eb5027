import pg from 'pg';
import { openDatabase } from '../bench/harness/database.ts';

/** A fresh database for one run, with a pool of the run's own eyes. */
export interface ChaosDatabase {
  readonly url: string;
  readonly pool: pg.Pool;
  close(): Promise<void>;
}

/** On the server that TEST_DATABASE_URL names, else on an embedded one in a temporary folder. */
export async function chaosDatabase(): Promise<ChaosDatabase> {
  const database = await openDatabase();
  const pool = new pg.Pool({ connectionString: database.url, max: 4 });
  pool.on('error', () => undefined);
  return {
    url: database.url,
    pool,
    close: async () => {
      await pool.end();
      await database.close();
    },
  };
}
