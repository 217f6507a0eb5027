/** A shop that tells its partners about orders: BatchSender inside an app, without the server. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BatchSenderError, createEngine, type Engine } from '@batchsender/core';
import { startEmbeddedPostgres } from '@batchsender/core/embedded';
import webhook from '@batchsender/plugin-webhook';
import pg from 'pg';

interface Order {
  readonly customer: string;
  readonly cents: number;
}

/** What the shop's own transaction leaves behind, if it commits. */
interface Placed {
  readonly orderId: string;
  readonly batchId: string;
}

interface Shop {
  readonly pool: pg.Pool;
  readonly engine: Engine;
  /** Where the partners are called. */
  readonly partners: string;
}

class PaymentRefused extends Error {
  override readonly name = 'PaymentRefused';
  readonly placed: Placed;

  constructor(placed: Placed) {
    super('The payment was refused');
    this.placed = placed;
  }
}

/** The app's own database, or a Postgres that this process brings along. */
async function openDatabase(): Promise<{ url: string; stop(): Promise<void> }> {
  const given = process.env['DATABASE_URL'];
  if (given !== undefined && given !== '') return { url: given, stop: async () => undefined };
  const dataDir = process.env['BATCHSENDER_DATA'] ?? join(import.meta.dirname, '.batchsender');
  console.log('Starting an embedded Postgres. Set DATABASE_URL to use one of your own.');
  return startEmbeddedPostgres({ dataDir });
}

/** The partners' servers: the warehouse stumbles once, and the old reseller has gone. */
async function startPartners(): Promise<{ url: string; server: Server }> {
  let stumbled = false;
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    const stumbles = path === '/warehouse' && !stumbled;
    stumbled ||= stumbles;
    const status = path === '/old-reseller' ? 410 : 204;
    request.resume().once('end', () => response.writeHead(stumbles ? 503 : status).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

/** The heart of it: the order and the calls about it are stored in one transaction, or neither is. */
async function placeOrder({ pool, engine, partners }: Shop, { customer, cents }: Order): Promise<Placed> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const inserted = await client.query<{ id: string }>(
      'INSERT INTO example_shop.orders (customer, cents) VALUES ($1, $2) RETURNING id',
      [customer, cents],
    );
    const orderId = inserted.rows[0]?.id ?? '';
    const batch = await engine.submit(
      {
        type: 'webhook',
        name: `order ${orderId}`,
        defaults: { body: { event: 'order.placed', orderId, cents } },
        jobs: ['accounting', 'warehouse', 'old-reseller'].map((name) => ({ url: `${partners}/${name}` })),
      },
      { client },
    );
    const placed = { orderId, batchId: batch.id };
    // Whatever goes wrong after the submission takes the calls back, too.
    if (cents > 100_000) throw new PaymentRefused(placed);
    await client.query('COMMIT');
    return placed;
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

/** Looks for an order and its batch, and says whether they are there. */
async function report({ pool, engine }: Shop, { orderId, batchId }: Placed): Promise<void> {
  const found = await pool.query('SELECT FROM example_shop.orders WHERE id = $1', [orderId]);
  const batch = await engine.getBatch(batchId).catch((error: unknown) => {
    if (error instanceof BatchSenderError && error.code === 'batch_not_found') return undefined;
    throw error;
  });
  console.log(`  the order ${found.rowCount === 1 ? 'exists' : 'does not exist'}`);
  console.log(`  its batch ${batch === undefined ? 'does not exist' : 'exists'}`);
}

/** Waits until every job has its outcome, and prints it. */
async function printFates({ engine }: Shop, batchId: string): Promise<void> {
  while ((await engine.getBatch(batchId)).state !== 'completed') await sleep(50);
  for (const job of (await engine.listJobs(batchId)).items) {
    const { payload } = await engine.getJob(job.id);
    const name = new URL(String(payload['url'])).pathname.slice(1);
    const code = job.code === null ? '' : ` (${job.code})`;
    console.log(`  ${name}: ${job.state}${code}, attempts: ${job.attempts}`);
  }
}

async function run(shop: Shop): Promise<void> {
  const { pool } = shop;
  await pool.query('CREATE SCHEMA IF NOT EXISTS example_shop');
  await pool.query(
    'CREATE TABLE IF NOT EXISTS example_shop.orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer text, cents int)',
  );
  const refused = await placeOrder(shop, { customer: 'Bob', cents: 250_000 }).catch((error: unknown) => {
    if (error instanceof PaymentRefused) return error.placed;
    throw error;
  });
  console.log('An order whose payment was refused, so that its transaction was rolled back:');
  await report(shop, refused);

  const placed = await placeOrder(shop, { customer: 'Ada', cents: 4_200 });
  console.log('An order whose transaction was committed:');
  await report(shop, placed);
  console.log('What became of the calls about it:');
  await printFates(shop, placed.batchId);
}

async function main(): Promise<void> {
  const database = await openDatabase();
  const partners = await startPartners();
  const pool = new pg.Pool({ connectionString: database.url });
  // A connection that breaks while it is idle must not end the app; what breaks after the end is no news.
  pool.on('error', (error) => {
    if (!pool.ending) console.error(`A database connection broke: ${error.message}`);
  });
  const engine = createEngine({
    database: database.url,
    plugins: [webhook],
    // The partners of this example listen on this machine; without the line their address is refused.
    allowNetworks: ['127.0.0.1/32'],
    retry: { baseMs: 200 },
  });
  try {
    await engine.start();
    await run({ pool, engine, partners: partners.url });
  } finally {
    await engine.stop();
    await pool.end();
    partners.server.close();
    await database.stop();
  }
}

await main();
