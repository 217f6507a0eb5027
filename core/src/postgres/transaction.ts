import type { Pool, PoolClient } from 'pg';

/**
 * Runs `work` in a transaction of its own. If the reply to COMMIT is lost, `wasApplied` finds out
 * what became of it; without it the error is thrown.
 */
export async function transaction<T>(
  pool: Pool,
  work: (client: PoolClient) => Promise<T>,
  wasApplied?: () => Promise<boolean>,
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    const result = await work(client);
    try {
      await client.query('COMMIT');
    } catch (error) {
      if (wasApplied === undefined || !(await wasApplied())) throw error;
    }
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((failure: Error) => {
      broken = failure;
    });
    throw error;
  } finally {
    // A connection that cannot even roll back is thrown away.
    client.release(broken);
  }
}
