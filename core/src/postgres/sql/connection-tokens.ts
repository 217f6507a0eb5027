import type { ClientBase, Pool, PoolClient } from 'pg';
import type { PublicPart } from '../../engine/connections/credentials.ts';
import type {
  ConnectionChange,
  ConnectionRow,
  ConnectionStore,
  TokenState,
  TokenTimes,
} from '../../engine/connections/store.ts';
import { transaction } from '../transaction.ts';

export const COLUMNS = `c.id, c.tenant_id, c.type, c.provider, c.name, c.public_part, c.sealed, c.version, c.blocked_code,
  c.blocked_message, c.blocked_at, c.created_at, c.updated_at`;

export interface Row {
  id: string;
  tenant_id: string | null;
  type: string;
  provider: string;
  name: string | null;
  public_part: PublicPart | null;
  sealed: string | null;
  version: number;
  blocked_code: string | null;
  blocked_message: string | null;
  blocked_at: Date | null;
  created_at: Date;
  updated_at: Date;
}

export const toRow = (row: Row): ConnectionRow => ({
  id: row.id,
  tenantId: row.tenant_id,
  type: row.type,
  provider: row.provider,
  name: row.name,
  publicPart: row.public_part,
  sealed: row.sealed,
  version: row.version,
  blocked:
    row.blocked_at === null
      ? null
      : { code: row.blocked_code ?? 'blocked', message: row.blocked_message, since: row.blocked_at },
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

interface TokenRow {
  expires_in: number;
  refresh_in: number | null;
  failures: number;
  rescued_version: number | null;
}

interface LoadedRow extends Pick<Row, 'type' | 'provider' | 'version' | 'sealed'> {
  tenant_id: string | null;
  expires_in: number | null;
  refresh_in: number | null;
}

const inMs = (column: string): string => `(extract(epoch FROM ${column} - now()) * 1000)::float8`;

/** Notes when the tokens of a connection end. */
export async function setTokens(
  client: ClientBase,
  s: string,
  id: string,
  { tokens, version }: { readonly tokens: TokenTimes; readonly version: number },
): Promise<void> {
  await client.query(
    `INSERT INTO ${s}.connection_tokens AS t (connection_id, expires_at, refresh_at, rescued_version)
     VALUES ($1, now() + $2::float8 * interval '1 ms', now() + $3::float8 * interval '1 ms', $4)
     ON CONFLICT (connection_id) DO UPDATE SET expires_at = excluded.expires_at, refresh_at = excluded.refresh_at,
       failures = 0, rescued_version = coalesce(excluded.rescued_version, t.rescued_version)`,
    [id, tokens.expiresInMs, tokens.refreshInMs, tokens.rescue === true ? version : null],
  );
}

interface Rows {
  lock(client: ClientBase, id: string): Promise<ConnectionRow>;
  apply(
    client: PoolClient,
    row: ConnectionRow,
    change: (row: ConnectionRow) => ConnectionChange,
  ): Promise<void>;
}

/** Access tokens that end: loaded by runners, refreshed by one process at a time. */
export function tokenStatements(
  pool: Pool,
  s: string,
  rows: Rows,
): Pick<ConnectionStore, 'load' | 'dueTokens' | 'withTokens'> {
  const load = `
SELECT c.tenant_id, c.type, c.provider, c.version, c.sealed, ${inMs('t.expires_at')} AS expires_in, ${inMs('t.refresh_at')} AS refresh_in
FROM ${s}.connections AS c LEFT JOIN ${s}.connection_tokens AS t ON t.connection_id = c.id WHERE c.id = $1`;
  const due = `
SELECT t.connection_id AS id FROM ${s}.connection_tokens AS t JOIN ${s}.connections AS c ON c.id = t.connection_id
WHERE t.refresh_at <= now() AND c.blocked_at IS NULL ORDER BY t.refresh_at LIMIT $1`;
  return {
    async load(id) {
      const row = (await pool.query<LoadedRow>({ name: 'bs_connection', text: load, values: [id] })).rows[0];
      if (row === undefined) return undefined;
      const { tenant_id: tenantId, expires_in: expiresInMs, refresh_in: refreshInMs, ...loaded } = row;
      return { ...loaded, tenantId, tokens: expiresInMs === null ? undefined : { expiresInMs, refreshInMs } };
    },
    dueTokens: async (limit) =>
      (await pool.query<{ id: string }>({ name: 'bs_due_tokens', text: due, values: [limit] })).rows.map(
        ({ id }) => id,
      ),
    withTokens: (id, { skip }, work) =>
      transaction(pool, async (client) => {
        const found = await client.query<TokenRow>(
          `SELECT ${inMs('expires_at')} AS expires_in, ${inMs('refresh_at')} AS refresh_in, failures, rescued_version
           FROM ${s}.connection_tokens WHERE connection_id = $1 FOR UPDATE${skip ? ' SKIP LOCKED' : ''}`,
          [id],
        );
        const tokens = found.rows[0];
        if (tokens === undefined) return undefined;
        return work(await stateOf(client, { s, id, rows }, tokens));
      }),
  };
}

interface Place {
  readonly s: string;
  readonly id: string;
  readonly rows: Rows;
}

async function stateOf(client: PoolClient, { s, id, rows }: Place, tokens: TokenRow): Promise<TokenState> {
  // Not locked: new credentials need not wait for a call over the network.
  const { rows: found } = await client.query<Row>(
    `SELECT ${COLUMNS} FROM ${s}.connections AS c WHERE c.id = $1`,
    [id],
  );
  return {
    row: toRow(found[0] as Row),
    expiresInMs: tokens.expires_in,
    refreshInMs: tokens.refresh_in,
    failures: tokens.failures,
    rescuedVersion: tokens.rescued_version,
    change: async (change) => rows.apply(client, await rows.lock(client, id), change),
    async postpone(waitMs) {
      await client.query(
        `UPDATE ${s}.connection_tokens SET failures = failures + 1,
           refresh_at = now() + $2::float8 * interval '1 ms' WHERE connection_id = $1`,
        [id, waitMs],
      );
    },
  };
}
