import type { ClientBase } from 'pg';
import type { Claim } from '../../engine/host-store.ts';
import { keyLost } from './store-batch.ts';

/** Marks an idempotency key as used in the transaction that stores the work (E13). */
export function useKeyStatement(s: string) {
  const text = `
UPDATE ${s}.idempotency_keys SET body_hash = $3, ref = $4
WHERE key = $2 AND ref IS NULL AND status IS NULL AND tenant_id = $1`;
  return async (client: ClientBase, tenantId: string, { key, bodyHash, ref }: Claim): Promise<void> => {
    const { rowCount } = await client.query(text, [tenantId, key, bodyHash, ref]);
    if (rowCount !== 1) throw keyLost();
  };
}
