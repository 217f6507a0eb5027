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

/** Runs a statement that is a transaction by itself; if its reply is lost, `wasApplied` finds out. */
export async function once<T>(work: () => Promise<T[]>, wasApplied: () => Promise<boolean>): Promise<T[]> {
  try {
    return await work();
  } catch (error) {
    const { code } = error as { code?: unknown };
    // An SQLSTATE is an answer; anything else is a broken connection.
    if (
      (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('57')) ||
      !(await wasApplied())
    )
      throw error;
    return [];
  }
}
