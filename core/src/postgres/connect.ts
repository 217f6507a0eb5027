import pg from 'pg';
import { BatchSenderError } from '../engine/errors.ts';

/** The pools of one engine: its own work is never starved by readers, nor the other way round. */
export interface Pools {
  readonly engine: pg.Pool;
  readonly api: pg.Pool;
  /** One connection without synchronous commit, for rate limits: losing the last ones in a crash is harmless. */
  readonly limits: pg.Pool;
  /** Heartbeats, dispatch and housekeeping must not wait behind flushes. */
  readonly heartbeat: pg.Pool;
  /** Sweeps and proofs, which may take seconds. */
  readonly maintenance: pg.Pool;
  end(): Promise<void>;
}

const INT8 = 20;
const NUMERIC = 1700;

/** Ids and sums fit a double. Of the numbers of events, which go in large steps, only where a retry begins is read. */
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === INT8 || oid === NUMERIC ? Number : pg.types.getTypeParser(oid, format as 'text'),
};

/**
 * Every statement of the engine has its index. A plan that was made while a new month's partition
 * was empty would scan it as a whole, again and again while it fills: minutes instead of milliseconds.
 */
const INDEXED = '-c enable_seqscan=off -c jit=off';
const MAINTENANCE_TIMEOUT_MS = 20_000;

export function createPools(
  connectionString: string,
  sizes: { engine: number; api: number },
  onError: (error: Error) => void,
): Pools {
  const pool = (max: number, name: string, options?: string) => {
    const made = new pg.Pool({
      connectionString,
      max,
      types,
      application_name: `batchsender ${name}`,
      idle_in_transaction_session_timeout: 30_000,
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
      ...(options === undefined ? {} : { options }),
    });
    // An idle connection that breaks must not end the process; the next query gets a new one.
    made.on('error', onError);
    // One that breaks while it is checked out tells by its query; without a listener it would end the process too.
    made.on('connect', (client) => client.on('error', () => undefined));
    return made;
  };
  const engine = pool(sizes.engine, 'engine', INDEXED);
  const api = pool(sizes.api, 'api', INDEXED);
  const heartbeat = pool(2, 'heartbeat', INDEXED);
  const maintenance = pool(1, 'maintenance', `${INDEXED} -c statement_timeout=${MAINTENANCE_TIMEOUT_MS}`);
  const limits = pool(1, 'limits', `${INDEXED} -c synchronous_commit=off`);
  return {
    engine,
    api,
    limits,
    heartbeat,
    maintenance,
    end: async () => {
      await Promise.all([engine.end(), api.end(), limits.end(), heartbeat.end(), maintenance.end()]);
    },
  };
}

/**
 * Opens all connections of a pool at once: a new backend takes tens of milliseconds, and those who want
 * the first ones would wait for each in turn. What fails is told by the first query.
 */
export function openAll(pool: pg.Pool): void {
  for (let count = 0; count < pool.options.max; count++) {
    pool.connect().then(
      (client) => client.release(),
      () => undefined,
    );
  }
}

/**
 * Refuses a connection pooler: named statements, LISTEN and advisory locks belong to a session.
 * A pooler gives away that the backend is not the one that the handshake named.
 */
export async function refusePooler(pool: pg.Pool): Promise<void> {
  const client = await pool.connect();
  try {
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const announced = (client as unknown as { processID: number | null }).processID;
    if (announced !== null && announced !== rows[0]?.pid) {
      throw new BatchSenderError(
        'pooler_detected',
        'The database is behind a connection pooler (PgBouncer or the like), which breaks prepared statements, ' +
          'LISTEN and advisory locks. Give the address of Postgres itself: the engine keeps pools of its own.',
      );
    }
  } finally {
    client.release();
  }
}
