import type { ClientBase } from 'pg';
import { BatchSenderError } from '../../engine/errors.ts';
import type { Claim } from '../../engine/host-store.ts';

/** E13: marks an idempotency key as used by an upload into a batch, in the upload's transaction. */
export function useKeyStatement(s: string) {
  const text = `
UPDATE ${s}.idempotency_keys SET body_hash = $3, ref = $4
WHERE key = $2 AND tenant_id = (SELECT tenant_id FROM ${s}.batches WHERE id = $1) AND status IS NULL AND ref IS NULL`;
  return async (client: ClientBase, batchId: string, { key, bodyHash, ref }: Claim): Promise<void> => {
    const { rowCount } = await client.query(text, [batchId, key, bodyHash, ref]);
    if (rowCount === 0) throw keyLost();
  };
}

/** The work of a request whose idempotency key belongs to another one now is not stored. */
export const keyLost = (): BatchSenderError =>
  new BatchSenderError(
    'idempotency_in_progress',
    'Another request holds or has used this idempotency key: repeat this one, and it gets that answer',
  );
