import { type Kysely, sql } from 'kysely';
import type { Batch, BatchCounts } from '../engine/api.ts';
import type { ReadStore } from '../engine/host-store.ts';
import type { Database } from './tables.ts';

/** Not the defaults: they may be large, and lists are read often. */
const COLUMNS = [
  'b.id',
  'b.tenant_id',
  'b.type',
  'b.origin',
  'b.name',
  'b.state',
  'b.provider',
  'b.connection_id',
  'b.priority',
  'b.plugin_name',
  'b.plugin_version',
  'b.dedupe_by',
  'b.duplicates',
  'b.rejected',
  'b.dry_run',
  'b.total',
  'b.succeeded',
  'b.failed',
  'b.unknown',
  'b.cancelled',
  'b.scheduled_at',
  'b.created_at',
  'b.sealed_at',
  'b.completed_at',
] as const;

const TALLIES = ['succeeded', 'failed', 'unknown', 'cancelled'] as const;

/** Batches with their counts: the batch row plus its open chunks, in one statement (E10). */
export function readBatches(db: Kysely<Database>): Pick<ReadStore, 'batch' | 'batches' | 'batchInside'> {
  return {
    async batchInside(client, tenantId, batchId) {
      const { sql: text, parameters } = query(db)
        .where('b.tenant_id', '=', tenantId)
        .where('b.id', '=', batchId)
        .compile();
      const { rows } = await client.query(text, [...parameters]);
      return toBatch(rows[0]);
    },
    async batch(tenantId, batchId) {
      const row = await query(db)
        .where('b.tenant_id', '=', tenantId)
        .where('b.id', '=', batchId)
        .executeTakeFirst();
      return row === undefined ? undefined : toBatch(row);
    },
    async batches(tenantId, { type, state, includeSingle, limit, before }) {
      let find = query(db).where('b.tenant_id', '=', tenantId);
      if (type !== undefined) find = find.where('b.type', '=', type);
      if (state !== undefined) find = find.where('b.state', '=', state);
      if (!includeSingle) find = find.where('b.origin', '=', 'batch');
      if (before !== undefined) find = find.where('b.id', '<', before);
      const rows = await find.orderBy('b.id', 'desc').limit(limit).execute();
      return rows.map(toBatch);
    },
  };
}

function query(db: Kysely<Database>) {
  return db
    .selectFrom('batches as b')
    .innerJoinLateral(
      (eb) =>
        eb
          .selectFrom('chunks as c')
          .whereRef('c.batch_id', '=', 'b.id')
          .where('c.state', '<>', 'closed')
          .select((one) => [
            ...TALLIES.map((name) =>
              sql<number>`coalesce(sum(${one.ref(`c.${name}`)}), 0)::int`.as(`open_${name}`),
            ),
            sql<number>`coalesce(sum(c.size - c.succeeded - c.failed - c.unknown - c.cancelled - c.retried - c.postponed)
              FILTER (WHERE c.state = 'leased'), 0)::int`.as('running'),
          ])
          .as('o'),
      (join) => join.onTrue(),
    )
    .leftJoin('connections as n', 'n.id', 'b.connection_id')
    .select(COLUMNS)
    .select('n.name as connection_name')
    .select(['n.blocked_at', 'n.blocked_code', 'n.blocked_message'])
    .select(sql<number>`o.running`.as('running'))
    .select(TALLIES.map((name) => sql<number>`${sql.ref(`o.open_${name}`)}`.as(`open_${name}`)));
}

type Row = Awaited<ReturnType<ReturnType<typeof query>['execute']>>[number];

function toBatch(row: Row): Batch {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    type: row.type,
    origin: row.origin,
    name: row.name,
    state: row.state,
    provider: row.provider,
    connection: row.connection_name,
    connectionId: row.connection_id,
    dryRun: row.dry_run,
    priority: row.priority,
    counts: toCounts(row),
    dedupeBy: row.dedupe_by,
    duplicates: row.duplicates,
    rejected: row.rejected,
    blocked:
      row.blocked_at === null || row.completed_at !== null
        ? null
        : { code: row.blocked_code ?? 'blocked', message: row.blocked_message, since: row.blocked_at },
    plugin: { name: row.plugin_name, version: row.plugin_version },
    scheduledAt: row.scheduled_at,
    createdAt: row.created_at,
    sealedAt: row.sealed_at,
    completedAt: row.completed_at,
  };
}

function toCounts(row: Row): BatchCounts {
  const open = row as Row & Record<`open_${(typeof TALLIES)[number]}`, number>;
  const [succeeded, failed, unknown, cancelled] = TALLIES.map((name) => row[name] + open[`open_${name}`]) as [
    number,
    number,
    number,
    number,
  ];
  const settled = succeeded + failed + unknown + cancelled;
  return {
    total: row.total,
    waiting: row.total - settled - row.running,
    running: row.running,
    succeeded,
    failed,
    unknown,
    cancelled,
  };
}
