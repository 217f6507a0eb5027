import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@batchsender/core/embedded';
import pg from 'pg';

/** The run's database, seen without a proxy. */
export interface ChaosPostgres {
  readonly url: string;
  /** False while the server is down by our doing. */
  readonly up: boolean;
  /** The server itself can be killed: it is ours. */
  readonly canKill: boolean;
  /** Repeats a query until it is answered. */
  query<R extends object>(text: string, values?: readonly unknown[]): Promise<R[]>;
  /** One try. @throws Error if the database does not answer. */
  tryQuery<R extends object>(text: string, values?: readonly unknown[]): Promise<R[]>;
  readonly pool: pg.Pool;
  /** SIGKILL of the postmaster; it is started again after `downMs`, which is not waited for. */
  kill(downMs: number): Promise<void>;
  close(): Promise<void>;
}

/** On the server that CHAOS_DATABASE_URL names, else an embedded one in the folder. */
export function startPostgres(folder: string): Promise<ChaosPostgres> {
  const given = process.env['CHAOS_DATABASE_URL'];
  return given === undefined ? startOwn(folder) : useGiven(given);
}

async function startOwn(folder: string): Promise<ChaosPostgres> {
  // The user of the embedded Postgres must reach its data.
  chmodSync(folder, 0o755);
  const dataDir = join(folder, 'postgres');
  let server: EmbeddedPostgres = await startEmbeddedPostgres({ dataDir });
  const { port, url } = server;
  let restarted = Promise.resolve();
  let up = true;
  const eyes = openEyes(url);
  const restart = async (downMs: number): Promise<void> => {
    await sleep(downMs);
    server = await startEmbeddedPostgres({ dataDir, port });
    up = true;
  };
  return {
    ...eyes,
    url,
    canKill: true,
    get up() {
      return up;
    },
    kill: async (downMs) => {
      await restarted;
      up = false;
      process.kill(server.pid, 'SIGKILL');
      await server.stop();
      restarted = restart(downMs);
    },
    close: async () => {
      await restarted;
      await eyes.pool.end();
      await server.stop();
    },
  };
}

async function useGiven(given: string): Promise<ChaosPostgres> {
  const name = `batchsender_chaos_${process.pid}`;
  const admin = new pg.Pool({ connectionString: given, max: 1 });
  await admin.query(`CREATE DATABASE ${name}`);
  const url = new URL(given);
  url.pathname = `/${name}`;
  const eyes = openEyes(url.href);
  return {
    ...eyes,
    url: url.href,
    canKill: false,
    up: true,
    kill: () => Promise.reject(new Error('only an embedded Postgres is killed')),
    close: async () => {
      await eyes.pool.end();
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.end();
    },
  };
}

function openEyes(url: string): Pick<ChaosPostgres, 'pool' | 'query' | 'tryQuery'> {
  const pool = new pg.Pool({ connectionString: url, max: 3, application_name: 'chaos' });
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  const tryQuery = async <R extends object>(text: string, values: readonly unknown[] = []): Promise<R[]> =>
    (await pool.query<R>(text, [...values])).rows;
  const query = async <R extends object>(text: string, values: readonly unknown[] = []): Promise<R[]> => {
    for (let tries = 0; ; tries++) {
      try {
        return await tryQuery<R>(text, values);
      } catch (error) {
        if (tries === 600) throw error;
        await sleep(100);
      }
    }
  };
  return { pool, query, tryQuery };
}
