import type { ClientBase, Pool, PoolClient } from 'pg';
import type { ConnectionChange, ConnectionRow, ConnectionStore } from '../../engine/connections/store.ts';
import { BatchSenderError } from '../../engine/errors.ts';
import { notifyText } from '../listen.ts';
import { transaction } from '../transaction.ts';
import { COLUMNS, type Row, setTokens, tokenStatements, toRow } from './connection-tokens.ts';
import { grantRequestStatements } from './grant-requests.ts';
import { noConnection } from './hold-connection.ts';
import { useKeyStatement } from './use-key.ts';

/** Named connections. Their secrets come and go sealed. */
export function connectionStoreStatements(pool: Pool, s: string, channel: string): ConnectionStore {
  const read = async (where: string, values: readonly unknown[]): Promise<ConnectionRow[]> => {
    const { rows } = await pool.query<Row>(`SELECT ${COLUMNS} FROM ${s}.connections AS c WHERE ${where}`, [
      ...values,
    ]);
    return rows.map(toRow);
  };
  const useKey = useKeyStatement(s);
  const apply = changeStatement(s, channel);

  return {
    list: (tenantId) => read('c.tenant_id IS NULL OR c.tenant_id = $1 ORDER BY c.id', [tenantId]),
    get: async (tenantId, id) =>
      (await read('c.id = $2 AND (c.tenant_id IS NULL OR c.tenant_id = $1)', [tenantId, id]))[0],
    named: (tenantId, type) =>
      read('c.tenant_id = $1 AND c.type = $2 AND c.name IS NOT NULL ORDER BY c.name', [tenantId, type]),
    insert: (connection, claim) =>
      transaction(pool, async (client) => {
        const { id, tenantId, type, provider, name, credentials, blocked, tokens } = connection;
        await client
          .query(
            `INSERT INTO ${s}.connections (id, tenant_id, type, provider, name, public_part, sealed, key_id, version,
               blocked_code, blocked_message, blocked_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $10, CASE WHEN $9::text IS NOT NULL THEN now() END)`,
            [
              ...[id, tenantId, type, provider, name],
              ...[JSON.stringify(credentials.publicPart), credentials.sealed, credentials.keyId],
              ...[blocked?.code ?? null, blocked?.message ?? null],
            ],
          )
          .catch((error: unknown) => {
            throw nameTaken(error, name);
          });
        if (tokens !== undefined) await setTokens(client, s, id, { tokens, version: 1 });
        if (claim !== undefined) await useKey(client, tenantId, claim);
      }),
    change: (tenantId, id, change) =>
      transaction(pool, async (client) => {
        await lockTokens(client, s, id);
        await apply(client, await lock(client, s, id, tenantId), change);
      }),
    remove: removeStatement(pool, s),
    blockedBy: (codes) => read('c.sealed IS NOT NULL AND c.blocked_code = ANY($1::text[])', [codes]),
    sealedOtherwise: (keyId, after, limit) =>
      read('c.sealed IS NOT NULL AND c.key_id <> $1 AND c.id > $2 ORDER BY c.id LIMIT $3', [
        keyId,
        after,
        limit,
      ]),
    async countSealed(keyId) {
      const text = `SELECT count(*)::int AS n FROM ${s}.connections WHERE key_id = $1`;
      return (await pool.query<{ n: number }>(text, [keyId])).rows[0]?.n ?? 0;
    },
    async reseal(row, { sealed, keyId }) {
      const text = `UPDATE ${s}.connections SET sealed = $2, key_id = $3 WHERE id = $1 AND sealed = $4`;
      return (await pool.query(text, [row.id, sealed, keyId, row.sealed])).rowCount === 1;
    },
    ...grantRequestStatements(pool, s),
    ...tokenStatements(pool, s, { lock: (client, id) => lock(client, s, id), apply }),
  };
}

/** Always before the row of the connection: whoever refreshes the tokens takes the locks in this order. */
async function lockTokens(client: ClientBase, s: string, id: string): Promise<void> {
  await client.query(`SELECT 1 FROM ${s}.connection_tokens WHERE connection_id = $1 FOR UPDATE`, [id]);
}

async function lock(client: ClientBase, s: string, id: string, tenantId?: string): Promise<ConnectionRow> {
  // NO KEY: batches that are being stored hold the row's key.
  const { rows } = await client.query<Row>(
    `SELECT ${COLUMNS} FROM ${s}.connections AS c
     WHERE c.id = $1 AND c.sealed IS NOT NULL AND ($2::text IS NULL OR c.tenant_id = $2) FOR NO KEY UPDATE`,
    [id, tenantId ?? null],
  );
  if (rows[0] === undefined) throw noConnection(id);
  return toRow(rows[0]);
}

/** Writes a change of a row that is locked. */
function changeStatement(s: string, channel: string) {
  const update = `
UPDATE ${s}.connections SET updated_at = now(), name = coalesce($2, name),
  public_part = coalesce($3::json, public_part), sealed = coalesce($4, sealed), key_id = coalesce($5, key_id),
  version = version + $6::int,
  blocked_at = CASE WHEN NOT $7 THEN blocked_at WHEN $8::text IS NULL THEN NULL ELSE now() END,
  blocked_code = CASE WHEN $7 THEN $8 ELSE blocked_code END,
  blocked_message = CASE WHEN $7 THEN $9 ELSE blocked_message END,
  throttled_until = CASE WHEN $6::int > 0 THEN NULL ELSE throttled_until END
WHERE id = $1 RETURNING version`;
  const changed = notifyText(channel, `json_build_object('changed', $1::text, 'version', $2::int)::text`);
  return async (
    client: PoolClient,
    row: ConnectionRow,
    change: (row: ConnectionRow) => ConnectionChange,
  ): Promise<void> => {
    const { name, credentials, blocked, tokens } = change(row);
    const values = [
      ...[row.id, name ?? null],
      ...[credentials === undefined ? null : JSON.stringify(credentials.publicPart)],
      ...[credentials?.sealed ?? null, credentials?.keyId ?? null, credentials === undefined ? 0 : 1],
      ...[blocked !== undefined, blocked?.code ?? null, blocked?.message ?? null],
    ];
    const { rows } = await client.query<{ version: number }>(update, values).catch((error: unknown) => {
      throw nameTaken(error, name ?? '');
    });
    const version = rows[0]?.version ?? 0;
    if (tokens !== undefined) await setTokens(client, s, row.id, { tokens, version });
    if (credentials !== undefined) await client.query(changed, [row.id, version]);
  };
}

function removeStatement(pool: Pool, s: string): ConnectionStore['remove'] {
  return (tenantId, id) =>
    transaction(pool, async (client) => {
      await lockTokens(client, s, id);
      const { rowCount } = await client.query(
        `SELECT 1 FROM ${s}.connections WHERE id = $1 AND tenant_id = $2 FOR UPDATE`,
        [id, tenantId],
      );
      if (rowCount === 0) throw noConnection(id);
      // A statement of its own: it sees the batches of those who held the row.
      const { rows } = await client.query<{ id: string }>(
        `SELECT id FROM ${s}.batches
         WHERE connection_id = $1 AND completed_at IS NULL AND left(connection_id, 4) = 'con_' LIMIT 1`,
        [id],
      );
      if (rows[0] !== undefined) {
        throw new BatchSenderError(
          'connection_in_use',
          `Batch ${rows[0].id} uses connection ${id} and has not ended: let it end, or cancel it, and then remove the connection`,
        );
      }
      await client.query(`DELETE FROM ${s}.connections WHERE id = $1`, [id]);
    });
}

const UNIQUE_VIOLATION = '23505';

function nameTaken(error: unknown, name: string): unknown {
  if ((error as { code?: unknown }).code !== UNIQUE_VIOLATION) return error;
  return new BatchSenderError(
    'connection_exists',
    `There is a connection "${name}" of this type already: choose another name, or change that one`,
    { cause: error },
  );
}
