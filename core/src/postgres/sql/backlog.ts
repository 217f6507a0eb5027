import type { Pool } from 'pg';
import type { Backlog, TypeBacklog } from '../../engine/observer.ts';

/** Batches that are looked at, the oldest first: the cost stays bounded whatever waits. */
const MAX_BATCHES = 10_000;

interface Row {
  readonly what: 'open' | 'leased' | 'due' | 'unknown' | 'blocked' | 'runners';
  readonly type: string;
  readonly provider: string;
  /** Of `due` milliseconds, else a count. */
  readonly n: number;
}

/**
 * What waits, for monitoring. It reads running batches, leased chunks, one due chunk a batch and
 * batches with unknown outcomes, each by an index of just these; never jobs or events.
 */
export function backlogStatement(pool: Pool, s: string) {
  const text = backlogText(s);
  return async (leaseMs: number): Promise<Backlog> => {
    const { rows } = await pool.query<Row>({
      name: 'bs_backlog',
      text,
      values: [MAX_BATCHES, leaseMs],
    });
    return toBacklog(rows);
  };
}

/** $1 batches to look at, $2 the age of a heartbeat in milliseconds. */
export function backlogText(s: string): string {
  return `
WITH running AS MATERIALIZED (
  SELECT id, type, open_chunks FROM ${s}.batches WHERE state = 'running' ORDER BY id LIMIT $1
), leased AS MATERIALIZED (
  SELECT b.type, b.state FROM ${s}.chunks AS c JOIN ${s}.batches AS b ON b.id = c.batch_id WHERE c.state = 'leased'
)
SELECT 'open' AS what, type, '' AS provider, sum(open_chunks)::float8 AS n FROM running GROUP BY type
UNION ALL SELECT 'leased', type, '', count(*) FROM leased GROUP BY type
UNION ALL SELECT 'open', type, '', -count(*) FROM leased WHERE state = 'running' GROUP BY type
UNION ALL SELECT 'due', r.type, '', max(extract(epoch FROM now() - d.due_at) * 1000)
  FROM running AS r CROSS JOIN LATERAL (
    SELECT c.due_at FROM ${s}.chunks AS c WHERE c.batch_id = r.id AND c.state = 'ready' AND c.due_at <= now()
    ORDER BY c.due_at LIMIT 1
  ) AS d GROUP BY r.type
UNION ALL SELECT 'unknown', type, '', sum(unknown)
  FROM (SELECT type, unknown FROM ${s}.batches WHERE unknown > 0 LIMIT $1) AS u GROUP BY type
UNION ALL SELECT 'blocked', type, provider, count(*) FROM ${s}.connections WHERE blocked_at IS NOT NULL GROUP BY type, provider
UNION ALL SELECT 'runners', '', '', count(*) FROM ${s}.runners WHERE seen_at > now() - $2::float8 * interval '1 ms'`;
}

function toBacklog(rows: readonly Row[]): Backlog {
  const sum = (what: Row['what'], type: string): number =>
    rows.filter((row) => row.what === what && row.type === type).reduce((total, row) => total + row.n, 0);
  const ofTypes = rows.filter(({ what }) => what !== 'blocked' && what !== 'runners');
  const names = new Set(ofTypes.map(({ type }) => type));
  const types = [...names].map(
    (type): TypeBacklog => ({
      type,
      readyChunks: Math.max(0, sum('open', type)),
      leasedChunks: sum('leased', type),
      oldestDueMs: Math.max(0, sum('due', type)),
      unknownJobs: sum('unknown', type),
    }),
  );
  const blocked = rows.filter(({ what }) => what === 'blocked');
  return {
    types,
    blockedConnections: blocked.map(({ type, provider, n }) => ({ type, provider, connections: n })),
    runners: sum('runners', ''),
  };
}
