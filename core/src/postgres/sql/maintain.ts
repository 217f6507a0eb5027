import type { Pool } from 'pg';
import type { MaintenanceStore } from '../../engine/store.ts';
import { createPartitions } from '../migrate.ts';
import { transaction } from '../transaction.ts';
import { abandonUploads } from './abandon-upload.ts';
import { dropKeysStatement } from './drop-keys.ts';
import { dropReceiptKeysStatement, settleEarlyStatement } from './early-receipts.ts';
import { leadStatement } from './lead.ts';
import { reconcileStatement } from './reconcile.ts';
import { recoverRunnerStatement } from './recover-runner.ts';
import { sweepStatement } from './sweep.ts';

/** The engine's housekeeping; every piece is safe to be done twice at once. */
export function maintenanceStatements(pool: Pool, s: string, notify: string): MaintenanceStore {
  const recover = `
UPDATE ${s}.chunks AS c SET state = 'ready', runner_id = NULL, dispatched_at = NULL, deaths = greatest(deaths, 1), interrupted = true
WHERE c.id IN (
  SELECT k.id FROM ${s}.chunks AS k
  LEFT JOIN ${s}.runners AS r ON r.id = k.runner_id AND r.seen_at > now() - $1::float8 * interval '1 ms'
  WHERE k.state = 'leased' AND r.id IS NULL FOR UPDATE OF k SKIP LOCKED
)`;
  return {
    lead: leadStatement(pool, s),
    async recoverChunks(leaseMs) {
      const { rowCount } = await pool.query({ name: 'bs_recover', text: recover, values: [leaseMs] });
      return rowCount ?? 0;
    },
    recoverRunner: recoverRunnerStatement(pool, s, notify),
    sweepUploads: (ttlMs) => transaction(pool, (client) => abandonUploads(client, s, ttlMs)),
    dropKeys: dropKeysStatement(pool, s),
    settleEarly: settleEarlyStatement(pool, s),
    dropReceiptKeys: dropReceiptKeysStatement(pool, s),
    sweepStep: sweepStatement(pool, s, notify),
    reconcile: reconcileStatement(pool, s),
    tidy: () =>
      transaction(pool, async (client) => {
        await client.query(`SET LOCAL lock_timeout = '2s'`);
        await createPartitions(client, s);
        await client.query(`DELETE FROM ${s}.rate_usage WHERE expires_at < now()`);
        await client.query(
          `DELETE FROM ${s}.idempotency_keys WHERE created_at < now() - interval '24 hours'`,
        );
        await client.query(`DELETE FROM ${s}.runners WHERE seen_at < now() - interval '1 hour'`);
        await client.query(`DELETE FROM ${s}.endpoints WHERE checked_at < now() - interval '7 days'`);
        await client.query(
          `DELETE FROM ${s}.uploads WHERE state <> 'active' AND created_at < now() - interval '24 hours'`,
        );
      }),
  };
}
