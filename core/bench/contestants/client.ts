import { Client, type ClientConfig, Pool } from 'pg';
import { settle } from '../harness/database.ts';
import type { Setting } from './contestant.ts';

export async function openClients(
  setting: Setting,
  count: number,
  config: ClientConfig = {},
): Promise<Client[]> {
  const clients = Array.from(
    { length: count },
    () => new Client({ connectionString: setting.databaseUrl, ...config }),
  );
  await Promise.all(clients.map((client) => client.connect()));
  return clients;
}

export async function closeClients(clients: readonly Client[]): Promise<void> {
  await Promise.all(clients.map((client) => client.end()));
}

/** One number, named `n`, from a connection of its own. */
export async function query(setting: Setting, text: string): Promise<number> {
  const clients = await openClients(setting, 1);
  const result = await clients[0]?.query<{ n: number }>(text);
  await closeClients(clients);
  return result?.rows[0]?.n ?? Number.NaN;
}

/** A pool whose connections are all open. */
export async function openPool(setting: Setting, max: number): Promise<Pool> {
  const pool = new Pool({ connectionString: setting.databaseUrl, max, idleTimeoutMillis: 0 });
  const fail = (error: Error) => {
    throw error;
  };
  pool.on('error', fail);
  pool.on('connect', (client) => client.on('error', fail));
  const clients = await Promise.all(Array.from({ length: max }, () => pool.connect()));
  for (const client of clients) client.release();
  return pool;
}

/** `settle` between two pieces of work of one task. */
export async function settleTables(setting: Setting, schema: string): Promise<void> {
  const clients = await openClients(setting, 1);
  await Promise.all(clients.map((client) => settle(client, schema)));
  await closeClients(clients);
}
