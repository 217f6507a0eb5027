import type { ClientBase, Pool } from 'pg';
import type {
  StoredSuppression,
  SuppressionChanges,
  SuppressionLookup,
  SuppressionRow,
  SuppressionStore,
} from '../../engine/suppression-store.ts';
import type { SuppressionReason } from '../../engine/suppressions.ts';
import { textArray, wordArray } from './array-literal.ts';

/** What runners ask before each call, and the API at intake. */
export function suppressionLookup(pool: Pool, s: string): SuppressionLookup {
  const any = `SELECT EXISTS (SELECT 1 FROM ${s}.suppressions WHERE tenant_id = $1 AND type = $2) AS found`;
  const find = `SELECT hash, reason FROM ${s}.suppressions WHERE tenant_id = $1 AND type = $2 AND hash = ANY($3::uuid[])`;
  return {
    async any(tenantId, type) {
      const { rows } = await pool.query<{ found: boolean }>({
        name: 'bs_any_suppression',
        text: any,
        values: [tenantId, type],
      });
      return rows[0]?.found === true;
    },
    async find(tenantId, type, hashes) {
      const { rows } = await pool.query<{ hash: string; reason: SuppressionReason }>({
        name: 'bs_suppressed',
        text: find,
        values: [tenantId, type, wordArray(hashes)],
      });
      return rows.map(({ hash, reason }) => ({ hash: plain(hash), reason }));
    },
  };
}

export function suppressionStatements(pool: Pool, s: string): SuppressionStore {
  return {
    ...suppressionLookup(pool, s),
    add: (rows) => addSuppressions(pool, s, rows),
    async remove(tenantId, type, hashes, reason) {
      const { rows } = await pool.query<{ n: number }>(
        `WITH gone AS (DELETE FROM ${s}.suppressions WHERE tenant_id = $1 AND type = $2 AND hash = ANY($3::uuid[])
           AND reason = coalesce($4, reason) RETURNING hash)
         SELECT count(DISTINCT hash)::int AS n FROM gone`,
        [tenantId, type, wordArray(hashes), reason],
      );
      return rows[0]?.n ?? 0;
    },
    async list(tenantId, { type, reason, limit, before }) {
      const { rows } = await pool.query<StoredSuppression>(
        `SELECT id, type, hash, reason, source, at FROM ${s}.suppressions
         WHERE tenant_id = $1 AND type = coalesce($2, type) AND reason = coalesce($3, reason)
           AND id < coalesce($4::bigint, 9223372036854775807) ORDER BY id DESC LIMIT $5`,
        [tenantId, type ?? null, reason ?? null, before ?? null, limit],
      );
      return rows.map((row) => ({ ...row, hash: plain(row.hash) }));
    },
    async counts(tenantId) {
      const { rows } = await pool.query<{ type: string; reason: SuppressionReason; count: number }>(
        `SELECT type, reason, count(*)::int AS count FROM ${s}.suppressions WHERE tenant_id = $1
         GROUP BY type, reason ORDER BY type, reason`,
        [tenantId],
      );
      return rows;
    },
  };
}

/** Applies what callbacks say, in the caller's transaction. */
export async function changeSuppressions(
  client: ClientBase,
  s: string,
  { add, lift }: SuppressionChanges,
): Promise<void> {
  if (add.length > 0) await addSuppressions(client, s, add);
  if (lift.length === 0) return;
  const text = `
DELETE FROM ${s}.suppressions AS t USING unnest($1::text[], $2::text[], $3::uuid[], $4::text[]) AS l (tenant_id, type, hash, reason)
WHERE t.tenant_id = l.tenant_id AND t.type = l.type AND t.hash = l.hash AND t.reason = l.reason`;
  await client.query({ name: 'bs_lift', text, values: columns(lift) });
}

async function addSuppressions(
  client: ClientBase | Pool,
  s: string,
  rows: readonly SuppressionRow[],
): Promise<number> {
  // In one order, so that two who add the same do not wait for each other; none twice, which is an error to Postgres.
  const sorted = [...new Map(rows.map((row) => [key(row), row])).values()].sort((a, b) =>
    key(a) < key(b) ? -1 : 1,
  );
  const text = `
INSERT INTO ${s}.suppressions (tenant_id, type, hash, reason, source)
SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::text[])
ON CONFLICT DO NOTHING`;
  const values = [...columns(sorted), textArray(sorted.map((row) => row.source))];
  return (await client.query({ name: 'bs_suppress', text, values })).rowCount ?? 0;
}

const key = (row: SuppressionRow): string => [row.tenantId, row.type, row.hash, row.reason].join('\n');

function columns(rows: readonly Omit<SuppressionRow, 'source'>[]): string[] {
  return [
    textArray(rows.map((row) => row.tenantId)),
    textArray(rows.map((row) => row.type)),
    wordArray(rows.map((row) => row.hash)),
    textArray(rows.map((row) => row.reason)),
  ];
}

/** Postgres writes a uuid with hyphens. */
const plain = (uuid: string): string => uuid.replaceAll('-', '');
